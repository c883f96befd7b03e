#!/bin/sh
# Beside each Patroni: gives the leadership away while there is still somebody to give it to, and little room
# left on the disk. A full disk fails every write, but ends neither PostgreSQL nor Patroni's lease.
# Usage: disk-guard.sh NAME PATRONI.yml DATA-DIRECTORY LEAST-FREE-MB
while sleep 1; do
    free=$(df --output=avail --block-size=1M "$3" | tail -n 1)
    [ "$free" -lt "$4" ] || continue
    # Does nothing on a node that does not lead.
    patronictl -c "$2" switchover --leader "$1" --force && sleep 30
done
