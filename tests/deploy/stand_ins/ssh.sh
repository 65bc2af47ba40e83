#!/bin/sh
# In the place of ssh, found in PATH before it. Notes how it was called, lets nobody in whose known_hosts does not
# name the host's key or whose key is another one, and runs on this machine what the host was told to.
set -eu
printf '%s\n' "$*" >>"$STAND_IN/ssh.log"
key='' known=''
while [ $# -gt 2 ]; do
    case $1 in
        -i) key=$2 ;;
        -o) case $2 in UserKnownHostsFile=*) known=${2#*=} ;; esac ;;
    esac
    shift 2
done
grep -qxF "$(cat "$STAND_IN/host_key")" "$known" || { echo 'Host key verification failed.' >&2; exit 255; }
[ "$(stat -c %a "$key")" = 600 ] || { echo 'Permissions of the key are too open.' >&2; exit 255; }
cmp -s "$key" "$STAND_IN/key" || { echo 'Permission denied (publickey).' >&2; exit 255; }
exec sh -c "$2"
