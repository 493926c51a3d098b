// node: the compiler's machine code, collections, timers, workers, programs, sockets, streams.
const { execFileSync, spawn } = require('child_process');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto');
const http = require('http');
const zlib = require('zlib');

if (!isMainThread) {
    let sum = 0;
    for (let i = workerData; i < 100000; i += 3) sum += i;
    parentPort.postMessage(sum);
} else {
    main();
}

async function main() {
    const sieve = new Uint8Array(200000);
    let primes = 0;
    for (let i = 2; i < sieve.length; i++) {
        if (sieve[i]) continue;
        primes++;
        for (let j = i * 2; j < sieve.length; j += i) sieve[j] = 1;
    }
    console.log('primes', primes);
    const kept = [];
    for (let i = 0; i < 200000; i++) { const o = { i, s: 'x' + i }; if (i % 1000 === 0) kept.push(o); }
    console.log('kept', kept.length, kept.reduce((sum, o) => sum + o.i, 0));
    console.log(execFileSync('echo', ['hello']).toString().trim());
    try { execFileSync('/nothing/of/this/name'); } catch (error) { console.log(error.code); }
    const child = spawn('sh', ['-c', 'read x; echo got $x; exit 3']);
    child.stdout.on('data', (data) => console.log(data.toString().trim()));
    child.stdin.end('word\n');
    console.log('exit', await new Promise((resolve) => child.on('close', resolve)));
    const workers = [0, 1, 2].map((n) => new Promise((resolve) => new Worker(__filename, { workerData: n }).on('message', resolve)));
    console.log('workers', (await Promise.all(workers)).reduce((a, b) => a + b));
    console.log('key', await new Promise((resolve) => crypto.pbkdf2('a', 'b', 1000, 16, 'sha256', (_, key) => resolve(key.toString('hex')))));
    const text = Buffer.from('text '.repeat(20000));
    const packed = await new Promise((resolve) => zlib.deflate(text, (_, data) => resolve(data)));
    console.log('round trip', zlib.inflateSync(packed).equals(text));
    const server = http.createServer((request, response) => response.end(`you asked for ${request.url}`));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    const answers = ['/a', '/b', '/c'].map(async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text());
    console.log(await Promise.all(answers));
    server.closeAllConnections();
    server.close();
    const signal = new Promise((resolve) => process.once('SIGUSR2', resolve));
    const waiting = setTimeout(() => {}, 30000);
    process.kill(process.pid, 'SIGUSR2');
    console.log(await signal);
    clearTimeout(waiting);
    console.log(/(\d+)-(?<name>\w+)/u.exec('12-twelve').groups.name, 2n ** 100n, [3, 1, 2].toSorted().join());
}
