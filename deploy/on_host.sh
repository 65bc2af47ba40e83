# What a plain server does when it is told to by `python -m deploy rollout ssh`, which sends this file:
#   sh -s -- current FOLDER          prints the image that runs
#   sh -s -- deploy FOLDER IMAGE     lets another one run
# FOLDER holds compose.yaml and its .env, whose TILLGATE_IMAGE names the image that runs; images.log beside it, each
# that was started here. `docker` reads no standard input: it would eat the rest of this script.
set -eu
word=$1
cd -- "$2"
[ -f .env ] || { echo "There is no .env in $2: docs/deploy.md says how the server is made ready." >&2; exit 1; }

current() { sed -n 's/^TILLGATE_IMAGE=//p' .env | tail -n 1; }
compose() { docker compose "$@" </dev/null; }

case $word in
    current) current ;;
    deploy)
        # Whoever told the host may have given up waiting, and this goes on.
        exec 9>.deploying
        flock --wait 600 9 || { echo "Another deployment is going on in $2." >&2; exit 1; }
        # What stands in the environment wins over .env.
        export TILLGATE_IMAGE="$3"
        compose pull
        # The old version still runs: migrations only add.
        compose run --rm -T prepare
        # Noted before it is started, so that whoever starts it by hand gets what was last wanted. The copy keeps the
        # file's mode and owner; the new name takes effect at once, or not at all.
        cp -p .env .env.new
        awk '!/^TILLGATE_IMAGE=/' .env >.env.new
        printf 'TILLGATE_IMAGE=%s\n' "$3" >>.env.new
        mv -f .env.new .env
        printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$3" >>images.log
        compose up --detach --wait --wait-timeout 300
        # The last three stay, to go back to; the disk holds no more of them than that.
        kept=$(tail -n 3 images.log | cut -d' ' -f2)
        cut -d' ' -f2 images.log | sort -u | grep -vxF "$kept" | while read -r old; do
            docker image rm "$old" </dev/null >/dev/null 2>&1 || true
        done
        ;;
    *)
        echo "$word is neither current nor deploy" >&2
        exit 2
        ;;
esac
