# openssl: a certificate, a TLS server and a client over loopback, several processes of speed.
set -u
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
openssl req -x509 -new -key key.pem -subj /CN=localhost -days 2 -out certificate.pem 2>/dev/null; echo "request $?"
openssl verify -CAfile certificate.pem certificate.pem
openssl s_server -accept "127.0.0.1:$port" -key key.pem -cert certificate.pem -rev -quiet 2>server.log &
server=$!
for version in tls1_2 tls1_3; do
    for _ in {1..100}; do
        answer=$( (echo "written backwards"; sleep 0.5; echo CLOSE; sleep 0.2) | openssl s_client -connect "127.0.0.1:$port" "-$version" -CAfile certificate.pem -verify_return_error -quiet 2>client.log)
        [ -n "$answer" ] && break
        sleep 0.1
    done
    echo "$version $answer"
    grep -c 'verify return:1' client.log
done
openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | grep -E '^(Verification|New, )' | sort -u
kill "$server"
wait "$server" 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -quiet -out rsa.pem
echo signed >text; openssl dgst -sha256 -sign rsa.pem -out signature text; openssl rsa -in rsa.pem -pubout -out public.pem 2>/dev/null
openssl dgst -sha256 -verify public.pem -signature signature text
openssl speed -seconds 1 -bytes 1024 -multi 2 -evp sha256 2>/dev/null | awk '/^evp|^sha256/ { print $1, ($2 > 0 ? "measured" : "nothing") }'
