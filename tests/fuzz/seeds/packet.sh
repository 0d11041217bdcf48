#!/bin/sh
# Makes seed packets of the SIP seeds, on standard output: Ethernet, IPv4, UDP; the first one in two IP fragments.
set -eu
cd "$(dirname "$0")"
byte() { printf '%b' "\\0$(printf %03o "$1")"; }
word() { byte $(($1 / 256)); byte $(($1 % 256)); }
addresses='\0300\0000\0002\0012\0300\0000\0002\0104'

# ip TOTAL FLAGS_AND_OFFSET: record header, Ethernet header, IPv4 header.
ip() {
    word $(($1 + 14)); byte 0
    printf '%b' '\0002\0000\0000\0000\0000\0001\0002\0000\0000\0000\0000\0002\0010\0000'
    printf '%b' '\0105\0000'; word "$1"; word 7; word "$2"; printf '%b' '\0100\0021\0000\0000'; printf '%b' "$addresses"
}
udp() { word 5060; word 5060; word "$1"; word 0; }

byte 0
for file in sip/*.txt; do
    size=$(($(wc -c < "$file") - 1))
    ip $((size + 28)) 0; udp $((size + 8)); tail -c +2 "$file"
done
file=sip/invite.txt
size=$(($(wc -c < "$file") - 1))
ip 100 8192; udp $((size + 8)); tail -c +2 "$file" | head -c 72
ip $((size - 72 + 20)) 10; tail -c +74 "$file"
