#!/bin/sh
# Makes a seed of HEP version 3, on standard output: each chunk that is understood, a packed payload last.
set -eu
chunk='\000\000\000'
printf 'HEP3\000\251'
printf "${chunk}\001\000\007\002${chunk}\002\000\007\021"
printf "${chunk}\003\000\012\300\000\002\001${chunk}\004\000\012\300\000\002\002"
printf "${chunk}\005\000\026aaaaaaaaaaaaaaaa${chunk}\006\000\026bbbbbbbbbbbbbbbb"
printf "${chunk}\007\000\010\023\304${chunk}\010\000\010\023\330"
printf "${chunk}\011\000\012\145\123\361\000${chunk}\012\000\012\000\003\320\220"
printf "${chunk}\013\000\007\001${chunk}\014\000\012\000\000\007\321"
printf "${chunk}\017\000\012SIP!"
printf "${chunk}\020\000\027\170\234\363\110\315\311\311\007\000\005\214\001\365xxxx"
