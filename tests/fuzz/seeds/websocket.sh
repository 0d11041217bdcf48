#!/bin/sh
# Makes a seed of WebSocket frames, on standard output: how to cut, no gap; then the examples of RFC 6455, 5.7 and RFC 7692, 7.2.3.
set -eu
cd "$(dirname "$0")"
printf '\021\000\000'
printf '\201\205\067\372\041\075\177\237\115\121\130'
printf '\001\003Hel\211\001?\200\002lo'
printf '\301\007\362\110\315\311\311\007\000\301\005\362\000\021\000\000'
size=$(($(wc -c < sip/notify.txt) - 1))
printf '\202\176%b' "\\0$(printf %03o $((size / 256)))\\0$(printf %03o $((size % 256)))"
tail -c +2 sip/notify.txt
printf '\210\002\003\350'
