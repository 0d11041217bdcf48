#!/bin/sh
# The first numbers, close to their wrap. A handshake, then a message in two segments of one batch, a keep-alive, and its end.
printf '\377\377\377\360\377\377\377\377'
printf '\042\000\000\003\000\000\000\000\000'
printf '\020\000\040OPTIONS sip:a@b SIP/2.0\r\nVia: SI'
printf '\000\000\116P/2.0/TCP b\r\nf: <sip:a@b>;tag=1\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\nl: 0\r\n\r\n'
printf '\000\000\004\r\n\r\n\004\000\000'
