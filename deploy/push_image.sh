#!/bin/sh
# Builds the image of this checkout and pushes it: sh deploy/push_image.sh REPOSITORY TAG
# Prints the one name under which it is deployed, REPOSITORY@sha256:…; everything else goes to standard error.
set -eu
repository=$1 tag=$2
cd -- "$(dirname -- "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
docker build \
    --build-arg "VERSION=$version" \
    --build-arg "REVISION=${GITHUB_SHA:-unknown}" \
    --build-arg "SOURCE=${GITHUB_SERVER_URL:-https://github.com}/${GITHUB_REPOSITORY:-unknown}" \
    --tag "$repository:$tag" . >&2
docker push --quiet "$repository:$tag" >&2
# What the registry calls it; before it was pushed, it had no such name.
docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$repository:$tag" |
    grep --fixed-strings "$repository@sha256:"
