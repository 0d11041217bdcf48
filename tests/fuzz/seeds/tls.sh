#!/bin/sh
# Makes a seed of TLS records, on standard output: how to cut, where a gap is and how long; then a ClientHello (RFC 8446, 4.1.2)
# with a server name and ALPN, a ServerHello, a change of cipher, data and an alert.
set -eu
printf '\007\051\003'
printf '\026\003\001\000\133\001\000\000\127\003\003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\000'
printf '\000\002\023\001\001\000\000\054'
printf '\000\000\000\024\000\022\000\000\017sip.example.com'
printf '\000\020\000\010\000\006\005sip/2\000\053\000\004\003\003\004\003'
printf '\026\003\003\000\070\002\000\000\064\003\003bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\000'
printf '\023\001\000\000\014\000\053\000\002\003\004\000\063\000\002xx'
printf '\024\003\003\000\001\001\027\003\003\000\004data\025\003\003\000\002\002\050'
