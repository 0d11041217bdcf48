#!/bin/sh
# Makes seeds of tunnels on standard output: a SIP message in IP, GRE, ERSPAN, VXLAN, GENEVE, GTP-U, MPLS and PPPoE.
set -eu
cd "$(dirname "$0")"
byte() { printf '%b' "\\0$(printf %03o "$1")"; }
word() { byte $(($1 / 256)); byte $(($1 % 256)); }
file=sip/notify.txt
size=$(($(wc -c < "$file") - 1))
total=$((size + 28))

# The inner packet, and the same behind an Ethernet header.
inner() {
    printf '%b' '\0105\0000'; word "$total"; word 7; word 0; printf '%b' '\0100\0021\0000\0000\0012\0000\0000\0001\0012\0000\0000\0002'
    word 5060; word 5060; word $((size + 8)); word 0; tail -c +2 "$file"
}
frame() { printf '%b' '\0002\0000\0000\0000\0000\0001\0002\0000\0000\0000\0000\0002\0010\0000'; inner; }

# packet CHOICE SIZE: what tunnels.rs reads in front of each packet.
packet() { byte "$1"; word "$2"; }

packet 1 "$total"; inner
packet 3 $((total + 4)); word 0; word 2048; inner
packet 3 $((total + 30)); word 4096; word 35006; word 0; word 1; word 4196; word 6147; word 0; word 9; frame
packet 5 $((total + 22)); word 2048; word 0; word 0; word 256; frame
packet 8 $((total + 22)); word 0; word 25944; word 0; word 256; frame
packet 9 $((total + 8)); word 12543; word "$total"; word 0; word 1; inner
packet 12 $((total + 4)); word 1; word 320; inner
packet 13 $((total + 8)); word 4352; word 7; word $((total + 2)); word 33; inner
