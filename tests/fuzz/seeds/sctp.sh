#!/bin/sh
# Makes a seed of SCTP packets, on standard output: a whole message beside a SACK, then one in two pieces.
set -eu
header='\023\304\023\304\000\000\000\001\000\000\000\000'
printf "\\064${header}"
printf '\003\000\000\020\000\000\000\001\000\000\377\377\000\000\000\000'
printf '\000\003\000\030\000\000\000\001\000\000\000\000\000\000\000\000SIP/2.0 '
printf "\\044${header}"
printf '\000\002\000\030\000\000\000\002\000\000\000\001\000\000\000\000SIP/2.0 '
printf "\\040${header}"
printf '\000\001\000\024\000\000\000\003\000\000\000\001\000\000\000\000200 '
