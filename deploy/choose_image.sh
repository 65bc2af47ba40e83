#!/bin/sh
# Says which image is to be deployed: sh deploy/choose_image.sh REPOSITORY COMMIT [IMAGE]
# An IMAGE that is given (to go back to it) must be one of REPOSITORY. Else that of COMMIT is built and pushed, if it
# is the newest of main and CI has found it well: CI of an older commit may be run again, and main may be red.
set -eu
repository=$1 commit=$2 image=${3:-}

if [ -n "$image" ]; then
    case $image in
        "$repository@sha256:"*) ;;
        *) echo "$image is no image of $repository, by its digest." >&2; exit 1 ;;
    esac
    echo "$image"
    exit
fi
newest=$(gh api "repos/$GITHUB_REPOSITORY/commits/main" --jq .sha)
if [ "$commit" != "$newest" ]; then
    echo "main has gone on to $newest: that one is deployed, and not $commit." >&2
    exit 1
fi
found=$(gh run list --workflow ci.yml --commit "$commit" --branch main --event push --status success \
    --json databaseId --jq length)
if [ "$found" -eq 0 ]; then
    echo "No green CI run of $commit on main: wait for it, or mend what it found." >&2
    exit 1
fi
exec env GITHUB_SHA="$commit" sh "$(dirname -- "$0")/push_image.sh" "$repository" "$commit"
