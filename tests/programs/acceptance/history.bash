# git on local repositories. Names, dates and contents are fixed, so the hashes are.
set -eu
export HOME=$PWD/home GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat GIT_EDITOR=true
export GIT_AUTHOR_NAME=Author GIT_AUTHOR_EMAIL=author@example.com GIT_COMMITTER_NAME=Committer GIT_COMMITTER_EMAIL=committer@example.com
time=1700000000
# commit MESSAGE: a minute later than the one before.
commit() {
    time=$((time + 60))
    GIT_AUTHOR_DATE="$time +0000" GIT_COMMITTER_DATE="$time +0000" git commit -q "$@"
}
mkdir home
git config --global init.defaultBranch main
git config --global gc.autoDetach false
git config --global advice.detachedHead false
git init -q work
cd work
seq 1 60 >numbers
mkdir folder
for n in {1..20}; do seq "$n" $((n * 30)) >"folder/$n.txt"; done
git add .
commit -m 'First'
git status --short --branch
git branch topic
sed -i 's/^5$/five/' numbers
commit -am 'Five'
git checkout -q topic
sed -i 's/^50$/fifty/' numbers
git rm -q folder/20.txt
git mv folder/1.txt folder/one.txt
commit -am 'Fifty'
git diff --stat main topic
git diff main topic -- numbers
git checkout -q main
time=$((time + 60))
GIT_AUTHOR_DATE="$time +0000" GIT_COMMITTER_DATE="$time +0000" git merge -q --no-edit topic
git log --graph --format='%h %s %an %ad' --date=iso
git show --stat --format=%H HEAD^2

# A conflict, solved by hand.
git checkout -q -b left main
sed -i 's/^30$/left/' numbers; commit -am 'Left'
git checkout -q -b right main
sed -i 's/^30$/right/' numbers; commit -am 'Right'
git merge -q left >/dev/null && exit 1
git status --short
grep -c '^[<=>]\{7\}' numbers
sed -i '/^[<=>]\{7\}/d' numbers
git add numbers
commit -m 'Both'
git checkout -q -b rebased topic
echo more >more; git add more; commit -m 'More'
echo most >>more; commit -am 'Most'
export GIT_COMMITTER_DATE="$((time + 600)) +0000"
git rebase -q right
unset GIT_COMMITTER_DATE
git log --format='%h %s' -n 4
git cherry -v right
git stash list
echo dirty >>more
GIT_AUTHOR_DATE="$time +0000" GIT_COMMITTER_DATE="$time +0000" git stash -q
git stash pop -q
git diff --numstat
git checkout -q -- more
git tag -a -m 'A tag' v1 main 2>/dev/null || true
git tag -d v1 >/dev/null
git tag light main
git describe --tags light
git grep -n fifty
git blame -s -L 48,51 numbers
git bisect start right topic^ >/dev/null 2>&1
git bisect run sh -c '! grep -q right numbers' >/dev/null
git show -s --format='first bad: %s' bisect/bad
git bisect reset >/dev/null 2>&1

# Packing, in threads; then everything over a pipe into a clone and back.
git -c pack.threads=2 gc --quiet --prune=now --aggressive
git count-objects -v | grep -E '^(count|in-pack|packs)'
git fsck --full --strict --no-progress && echo sound
git clone -q --no-local . ../clone
git clone -q --bare . ../bare.git
cd ../clone
git log -1 --format=%H origin/rebased
git checkout -q -b back origin/main
echo back >back; git add back; commit -m 'Back'
git push -q ../bare.git back
git -C ../bare.git log -1 --format='%H %s' back
git archive --format=tar --mtime=@0 HEAD | tar -t | wc -l
printf '#!/bin/sh\necho "hook in $(basename "$PWD")"\n' >.git/hooks/pre-commit
chmod +x .git/hooks/pre-commit
echo hooked >>back
commit -am 'Hooked' 2>&1
git format-patch -q -1 --stdout | git mailinfo message patch | head -n 1
git submodule --quiet foreach true
git log --format=%s | git shortlog 2>/dev/null | wc -l
git rev-parse HEAD
