#!/bin/sh
# Makes the secrets of compose.yaml: deploy/make-secrets.sh [FOLDER], by default secrets/ beside compose.yaml.
# What is there already is kept, so it may be run again. Keep a copy elsewhere: without encryption_keys neither the
# saved payment methods nor a backup can be read.
set -eu

folder=${1:-$(dirname -- "$0")/../secrets}

random_hex() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }
random_base64() { head -c 32 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_'; }

# Others are kept out by the folder. The files are for everybody who is let in: compose hands each to the containers
# that need it, and their users have other numbers than yours.
keep() {
    if [ -s "$folder/$1" ]; then
        cat >/dev/null
        echo "kept    $folder/$1"
    else
        cat >"$folder/$1"
        chmod 0444 "$folder/$1"
        echo "made    $folder/$1"
    fi
}

umask 077
mkdir -p -- "$folder"
random_hex | keep secret_key
random_hex | keep jwt_key
random_base64 | keep encryption_keys
random_hex | keep database_password
printf 'postgres://tillgate:%s@db:5432/tillgate' "$(cat "$folder/database_password")" | keep database_url
