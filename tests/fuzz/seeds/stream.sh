#!/bin/sh
# A handshake, then a message in two segments, a keep-alive, and its end.
printf '\002\000\000\043\000\000\000\000\000'
printf '\000\000\040OPTIONS sip:a@b SIP/2.0\r\nVia: SI'
printf '\000\000\112P/2.0/TCP b\r\nf: <sip:a@b>;tag=1\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\nl: 0\r\n\r\n'
printf '\000\000\004\r\n\r\n\004\000\000'
