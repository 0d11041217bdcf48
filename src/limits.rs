//! Every cap of the program: a named constant with its unit and its reason.

use std::num::NonZeroUsize;

/// Packets in a batch. 64 to 1,024 cost the same; 256 keeps the hand-over under 1 ns a packet.
pub const BATCH_PACKETS: usize = 256;

/// Bytes in a batch, about: 256 KiB stays in the second-level cache.
pub const BATCH_BYTES: usize = 256 * 1024;

/// Batches waiting between a live capture and the engine. 64 MiB at worst; bridges a pause of 70 ms at 900,000 packets/s.
pub const LIVE_QUEUE_BATCHES: usize = 256;

/// Batches waiting between a file reader and the engine; a short queue keeps the arenas in cache.
pub const FILE_QUEUE_BATCHES: usize = 8;

/// Batches left in that queue when a reader that found it full goes on: enough to do while it wakes up.
pub const FILE_QUEUE_LOW: usize = 2;

/// Batches waiting between the engine and the writer of a live capture. 64 MiB at worst; bridges a disk that stands still
/// for some seconds on a link of 100 Mbit/s.
pub const WRITER_QUEUE_BATCHES: usize = 256;

/// Bytes gathered before they are written to a file, while more keep coming.
pub const WRITE_BUFFER_BYTES: usize = 256 * 1024;

/// Bytes of the newest packets that carried SIP, kept for saving: five minutes of 100 messages/s.
pub const RECENT_SIGNALLING_BYTES: usize = 24 * 1024 * 1024;

/// Bytes of the newest TCP segments and fragments, kept for saving.
pub const RECENT_STREAM_BYTES: usize = 8 * 1024 * 1024;

/// Segments looked at for the handshake of a connection that turns out to be WebSocket: it came a moment ago.
pub const RECENT_BEGINNING_PACKETS: usize = 1_024;

/// WebSocket connections whose handshake was put to the signalling already.
pub const RECENT_WEBSOCKETS: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// Bytes of the newest media and other packets, kept for saving: five minutes of eight calls, two streams each.
pub const RECENT_MEDIA_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of packets that are kept, let go and shared together.
pub const RECENT_CHUNK_BYTES: usize = 256 * 1024;

/// Seconds around a stream in which all packets of its flow are saved with it: STUN before, comfort noise after.
pub const SAVE_MEDIA_SLACK_S: i64 = 1;

/// Seconds around a stream in which RTCP on the next port is saved with it: reports come every 5 s (RFC 3550, 6.2).
pub const SAVE_RTCP_SLACK_S: i64 = 6;

/// Seconds around a call in which all packets of its TCP connections are saved: handshake, acknowledgments, resent segments.
pub const SAVE_TCP_SLACK_S: i64 = 2;

/// Calls with more messages than are remembered whose Call-ID is looked for in every datagram while saving.
pub const SAVE_SEARCHED_CALLS: usize = 64;

/// Seconds that the end of the program waits for what is being saved: some 100 MiB on a slow disk.
pub const LAST_SAVE_S: u64 = 10;

/// Outcomes of saving shown in the Capture tab, the newest ones.
pub const SAVE_OUTCOMES: usize = 5;

/// Default kernel ring of a live capture, in MiB.
pub const KERNEL_BUFFER_MIB: u32 = 32;

/// Snap length of a live capture, in bytes: larger than any packet, offloaded ones included.
pub const SNAP_LEN: i32 = 262_144;

/// The largest packet that a file may hold, in bytes. A larger length in a file means that the file is broken.
pub const FILE_PACKET_BYTES: u32 = 1024 * 1024;

/// Interfaces described in one pcapng file; a mobile recorder has a dozen.
pub const FILE_INTERFACES: usize = 4_096;

/// Read buffer of one file, in bytes: 64 to 512 KiB read equally fast, 4 MiB a quarter slower.
pub const FILE_BUFFER_BYTES: usize = 256 * 1024;

/// Bytes of a file read at a time straight into a batch: they stay in the second-level cache until they are decoded.
pub const FILE_READ_BYTES: usize = 64 * 1024;

/// Read buffers of all files that are merged together, in bytes: with more than 64 files each gets a smaller one.
pub const FILE_BUFFERS_BYTES: usize = 16 * 1024 * 1024;

/// The smallest read buffer of one of very many files, in bytes: four pages still cost less than a read each.
pub const FILE_SMALLEST_BUFFER_BYTES: usize = 16 * 1024;

/// Names of hosts kept of one pcapng file; a larger office has some hundred.
pub const FILE_NAMES: usize = 4_096;

/// The longest name of a host or interface that is kept, in bytes (RFC 1035, section 2.3.4).
pub const FILE_NAME_BYTES: usize = 255;

/// The largest name resolution block that is looked into, in bytes.
pub const FILE_NAMES_BLOCK_BYTES: u32 = 256 * 1024;

/// Packets of a file that are read ahead to bring it into order of time. Several queues or processors that wrote it
/// mix up a few dozen.
pub const FILE_ORDER_PACKETS: usize = 1_024;

/// Bytes of packets that wait to be brought into order, where huge ones fill the window.
pub const FILE_ORDER_BYTES: usize = 4 * 1024 * 1024;

/// Seconds by which a packet may come too late in a file and still be put where it belongs. A longer step back is
/// another capture behind the first, or a clock that was set.
pub const FILE_ORDER_SECONDS: i64 = 2;

/// How long a packet of one source waits for the others, so that several live sources merge in order, in ms.
pub const MERGE_WINDOW_MS: i64 = 40;

/// Batches that may wait to be merged before order gives way to memory.
pub const MERGE_PENDING_BATCHES: usize = 128;

/// Fragmented datagrams being put together at once. A phone system has a handful; more is an attack.
pub const DEFRAG_DATAGRAMS: usize = 1_024;

/// Bytes kept for fragmented datagrams.
pub const DEFRAG_BYTES: usize = 16 * 1024 * 1024;

/// Seconds after which an unfinished datagram is given up (RFC 791: 15; Linux: 30).
pub const DEFRAG_SECONDS: i64 = 30;

/// Ms after which an unfinished datagram that may hold a SIP message is given up, so that the message is shown as far as it
/// came. Fragments are sent back to back; SIP repeats after 500 ms (T1 of RFC 3261), and stands behind its first try then.
pub const DEFRAG_MESSAGE_MS: i64 = 400;

/// Fragments of one datagram: 64 KiB in pieces of 128 bytes.
pub const DEFRAG_PIECES: usize = 512;

/// The largest SIP message kept, in bytes. A longer one is cut visibly.
pub const SIP_MESSAGE_BYTES: usize = 128 * 1024;

/// Header lines of one SIP message that are indexed; more are counted as malformed and left in the raw text.
pub const SIP_HEADER_LINES: usize = 512;

/// The longest method token that is believed, in bytes; the longest registered one has nine.
pub const SIP_METHOD_BYTES: usize = 128;

/// Levels of multipart bodies within multipart bodies that are opened.
pub const MULTIPART_DEPTH: usize = 4;

/// Media lines read of one session description. A conference bridge offers about ten.
pub const SDP_MEDIA: usize = 64;

/// Addresses that one session description may announce, ICE candidates included.
pub const SDP_ENDPOINTS: usize = 64;

/// Port pairs of one media line (`m=audio 49170/2`), and payload types looked at in one.
pub const SDP_PORT_PAIRS: u16 = 8;

/// Codec names kept of one negotiation.
pub const SDP_CODECS: usize = 32;

/// Calls (distinct Call-IDs) kept.
pub const CALLS: usize = 200_000;

/// Bytes of memory that all calls and their SIP messages may take, [`CALL_BYTES`] and what the heap adds included. All other
/// tables together are reckoned at 150 MiB when full, the packets kept for saving at 96 MiB, so that the program should stay
/// below 1 GiB.
pub const SIP_BYTES: usize = 768 * 1024 * 1024;

/// Bytes that a call is reckoned to take beside its messages and its names: row, state machines, indices. 100,000 ordinary calls took
/// about 1,900 each.
pub const CALL_BYTES: usize = 2_560;

/// Calls that `--call-id` opens in one ladder; the filter shows the rest in the table.
pub const OPENED_CALLS: usize = 64;

/// Messages kept at the start of a call with very many messages.
pub const CALL_FIRST_MESSAGES: usize = 200;

/// Messages kept at the end of a call with very many messages.
pub const CALL_LAST_MESSAGES: usize = 800;

/// Message fingerprints a call remembers to tell retransmissions: 12 bytes each.
pub const CALL_FINGERPRINTS: usize = 4_096;

/// Transactions a call remembers.
pub const CALL_TRANSACTIONS: usize = 256;

/// Dialogs listed for one call: a fork to more than this many phones is an attack.
pub const CALL_DIALOGS: usize = 64;

/// Media endpoints one call may announce through SDP.
pub const CALL_MEDIA: usize = 64;

/// INVITE branches of one attempt, and senders of INVITEs of one call, that the call's state depends on.
pub const CALL_BRANCHES: usize = 64;

/// Subscriptions (event package, id, notifier) that one Call-ID may hold.
pub const CALL_SUBSCRIPTIONS: usize = 32;

/// Signalling flows remembered for one call.
pub const CALL_FLOWS: usize = 8;

/// RTP streams listed for one call.
pub const CALL_STREAMS: usize = 256;

/// Flows on which signalling or TCP facts were seen, in each of two generations: which calls an RST or an ICMP error concerns.
pub const SIGNALLING_FLOWS: usize = 32_768;

/// Calls that one fact on a flow is noted for: the newest ones. A trunk carries thousands.
pub const FLOW_CALLS: usize = 32;

/// TCP facts kept for a flow until its first SIP message.
pub const FLOW_FACTS: usize = 4;

/// Records for Wireshark's definition of a resent message, in each of two generations.
pub const WIRESHARK_RECORDS: usize = 65_536;

/// Codec names, and lists of them, that are shared instead of copied.
pub const CODEC_NAMES: usize = 256;

/// Bytes of a codec's format parameters that are kept; those of video with parameter sets are longer, and say nothing here.
pub const CODEC_PARAMETER_BYTES: usize = 128;

/// Pairs of User-Agent and Server that are shared instead of copied.
pub const SHARED_IDENTITIES: usize = 256;

/// RTP streams kept.
pub const STREAMS: usize = 50_000;

/// Flows that look like RTP but have not proved it yet.
pub const STREAM_CANDIDATES: usize = 4_096;

/// Consistent packets after which RTP is believed without SDP.
pub const STREAM_PROOF_PACKETS: u32 = 4;

/// Newest packets that a stream recognises copies of. Of voice one packet comes within [`DUPLICATE_MS`], of video a burst.
pub const STREAM_COPY_PACKETS: usize = 8;

/// Payload types of one stream that are told apart: voice, comfort noise, events, and codecs that were switched to.
pub const STREAM_PAYLOAD_TYPES: usize = 6;

/// Windows of ten seconds kept of one stream; when they are full, the worse of two stays. Ten minutes in full detail.
pub const STREAM_WINDOWS: usize = 64;

/// Bars of one second kept of one stream: the last minute.
pub const STREAM_BARS: usize = 60;

/// Telephone events listed of one stream: more than anyone dials in a call.
pub const DTMF_EVENTS: usize = 256;

/// Endpoints announced by SDP that are remembered for binding streams to calls.
pub const MEDIA_ENDPOINTS: usize = 200_000;

/// Samples of packets that could not be decoded.
pub const MALFORMED_SAMPLES: usize = 64;

/// Bytes kept of each such sample.
pub const MALFORMED_SAMPLE_BYTES: usize = 512;

/// Method names and status codes counted one by one; the rest are counted together.
pub const STAT_NAMES: usize = 256;

/// Peers that statistics are kept for.
pub const STAT_PEERS: usize = 4_096;

/// TCP and ICMP facts kept for the ladder, per call.
pub const CALL_FACTS: usize = 256;

/// VLAN tags on one packet. Two are common, four are the most that carriers stack.
pub const VLAN_TAGS: usize = 8;

/// Tunnels, labels and sessions around one packet, VLAN tags not counted. A mirrored mobile core has four; more is an attack.
pub const ENCAPSULATIONS: usize = 8;

/// Paths of SIP messages that are shared instead of copied. A mirror port of a data centre shows a few dozen.
pub const SHARED_PATHS: usize = 256;

/// How long a packet is remembered, to recognise its copy, in ms. Copies of a mirror port come within microseconds, those
/// of a loaded router or a remote mirror within a few ms; the fastest that a host sends the same again is 20 ms (an answered
/// ping, a voice packet), and SIP waits 500 ms.
pub const DUPLICATE_MS: i64 = 10;

/// Packets remembered to recognise their copies, a power of two: at 100,000 packets/s a fifth of those within
/// [`DUPLICATE_MS`] is lost to others, at 10,000 one in forty. 16 bytes each leave the second-level cache to the packets.
pub const DUPLICATE_SLOTS: usize = 8_192;

/// SIP messages remembered likewise, a power of two: at 10,000 messages/s one in eighty of those within [`DUPLICATE_MS`] is
/// lost to others.
pub const DUPLICATE_TEXT_SLOTS: usize = 8_192;

/// Octets compared of a packet that is no text; what tells packets of one flow apart stands at their start.
pub const DUPLICATE_OCTETS: usize = 64;

/// Extension headers of one IP packet. RFC 8200 foresees at most seven.
pub const IP_EXTENSIONS: usize = 16;

/// TCP connections followed at once; the one that was silent the longest leaves first. About 70 MiB when all are half-open.
pub const TCP_CONNECTIONS: usize = 65_536;

/// Networks with connections between the same addresses and ports that are told apart by what stands around their packets.
pub const TCP_NETWORKS: u8 = 8;

/// Bytes that may wait for a hole in one direction of a connection. An ordinary receive window of a phone system is 64 KiB.
pub const TCP_WAITING_BYTES: usize = 256 * 1024;

/// Segments that may wait for a hole in one direction: 64 KiB in pieces of 128 bytes.
pub const TCP_WAITING_PIECES: usize = 512;

/// Bytes that all connections together keep for holes and for messages that are not whole yet.
pub const TCP_BYTES: usize = 32 * 1024 * 1024;

/// Bytes by which a segment or an acknowledgment may be ahead of a stream and still belong to it: larger than any receive
/// window that hosts grant unasked (6 MiB with Linux), and than what a capture loses at once.
pub const TCP_AHEAD_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes by which a segment may lie behind what was acknowledged and still be one sent again: a receive window, as large as
/// what may wait.
pub const TCP_AGAIN_BYTES: u64 = TCP_WAITING_BYTES as u64;

/// Seconds that a hole in a stream is waited for. A sender tries again after 1, 3, 7 and 15 s; then the call is lost anyway.
pub const TCP_GAP_SECONDS: i64 = 30;

/// How long a hole is waited for once the receiver acknowledged its octets, in ms, unless it says something before: then
/// they were not captured, unless the two directions come from two interfaces.
pub const TCP_ACKED_GAP_MS: i64 = 200;

/// How long the first octets of a connection that began before the capture wait for earlier ones, in ms.
pub const TCP_PICK_UP_MS: i64 = 50;

/// Packets listed for one message of a stream; of more, the first ones and the last.
pub const STREAM_MESSAGE_PACKETS: usize = 1_024;

/// The longest head (start line and headers) of a SIP message on a stream, in bytes. Nothing longer is waited for.
pub const SIP_HEAD_BYTES: usize = 64 * 1024;

/// Bytes at the start of a stream that tell text from anything else.
pub const STREAM_TEXT_BYTES: usize = 64;

/// The longest datagram of line ends or NULs that is taken for a keep-alive, in bytes.
pub const KEEP_ALIVE_BYTES: usize = 8;

/// The longest start line that is waited for on a stream, in bytes.
pub const SIP_START_LINE_BYTES: usize = 8 * 1024;

/// How long a body whose length nothing tells waits for more octets, in ms: the segments of one message are no further apart
/// than a round trip.
pub const STREAM_REST_MS: i64 = 200;

/// Bytes at the start of a connection that began before the capture in which a SIP message is looked for.
pub const STREAM_SEARCH_BYTES: u64 = 64 * 1024;

/// Connections listed in the Capture tab: so many with SIP, and so many that may hide it.
pub const LISTED_FLOWS: NonZeroUsize = NonZeroUsize::new(48).unwrap();

/// Bytes kept of the subprotocols that a WebSocket handshake names; "sip" has three.
pub const WEBSOCKET_SUBPROTOCOL_BYTES: usize = 64;

/// Bytes that one compressed WebSocket message may unpack to before the rest of it is given up: a bomb of 1 MiB would make 1 GiB.
pub const WEBSOCKET_INFLATED_BYTES: usize = 8 * 1024 * 1024;

/// Bytes that unpacking one direction of a WebSocket connection takes: the window of 32 KiB and the code tables.
pub const WEBSOCKET_INFLATER_BYTES: usize = 48 * 1024;

/// Bytes kept of one TLS hello. A ClientHello with post-quantum keys has about 1,800; one that resumes a session a few more.
pub const TLS_HELLO_BYTES: usize = 8 * 1024;

/// Bytes kept of a name in a TLS hello: a host name has 253 at most.
pub const TLS_NAME_BYTES: usize = 255;

/// Protocols kept of those that a TLS client offers.
pub const TLS_ALPN_NAMES: usize = 8;

/// The longest head of an HTTP message in which an upgrade to WebSocket is looked for, in bytes.
pub const HTTP_HEAD_BYTES: usize = 16 * 1024;

/// Bytes looked at of a SIP message that an ICMP error quotes. Hosts quote 548 (RFC 1812) to 1,232 (RFC 4443).
pub const ICMP_QUOTE_BYTES: usize = 1_500;

/// SIP messages in pieces of SCTP being put together at once, one for a flow: 8 MiB at worst.
pub const SCTP_UNFINISHED: usize = 64;

/// Bytes that those take at worst.
pub const SCTP_BYTES: usize = SCTP_UNFINISHED * SIP_MESSAGE_BYTES;

/// A piece whose number is so little behind the one expected has come before.
pub const SCTP_CHUNKS_BEHIND: u32 = 1 << 16;

/// Associations in each direction whose chunks are remembered, to know those that are sent again: 1 MiB at worst.
pub const SCTP_ASSOCIATIONS: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();

/// Chunks remembered of each: an ordinary receive window of 128 KiB holds about as many messages.
pub const SCTP_CHUNKS: usize = 256;

/// The longest quoted Call-ID that a fact keeps, in bytes, since a call keeps [`CALL_FACTS`] of them.
pub const ICMP_QUOTE_CALL_ID_BYTES: usize = 256;

/// Transit times kept for the adaptive playout buffer of a stream: ten seconds of 20 ms packets, 1 KB.
pub const PLAYOUT_TRANSITS: usize = 500;

/// Windows of ten seconds kept for a stream, 12 bytes each; of more, the worse of each older pair.
pub const PLAYOUT_WINDOWS: usize = 64;

/// Newest packets of a stream that may wait to be judged by a playout buffer, the bits of a u128: 640 ms of 5 ms packets,
/// while the deepest buffer has 500 ms.
pub const PLAYOUT_REORDER: u32 = 128;

/// A jump of the sequence number by so many that a playout buffer starts anew instead of calling them lost.
pub const PLAYOUT_RESTART: i64 = 1_024;

/// Received packets in a row that end a burst (Gmin of RFC 3611, 4.7.2).
pub const PLAYOUT_GMIN: u64 = 16;

/// Expected packets below which a stream or a window has no MOS: half a second of voice.
pub const MOS_PACKETS: u64 = 25;

/// Packets read of one RTCP datagram. Three are common, a bridge sends some ten.
pub const RTCP_PACKETS: usize = 64;

/// Blocks read of one extended report of RTCP. Three are common.
pub const RTCP_XR_BLOCKS: usize = 64;

/// Report blocks, quoted times and leaving sources kept of one RTCP datagram: two packets with as many as fit (31).
pub const RTCP_KEPT_BLOCKS: usize = 62;

/// VoIP metrics kept of one RTCP datagram; a phone receives one stream.
pub const RTCP_KEPT_METRICS: usize = 8;

/// RTCP reports remembered of one flow for their round trip: an end quotes the last one, and a bundle sends a few at once.
pub const ROUND_TRIP_REPORTS: usize = 8;

/// Flows of RTCP whose round trip is remembered, one for each of [`STREAMS`]. About 260 bytes each.
pub const ROUND_TRIP_FLOWS: usize = STREAMS;

/// Octets of a voice quality report that are read. A full one with both sides has about 2,000.
pub const VQ_REPORT_BYTES: usize = 16 * 1024;

/// Lines read of a voice quality report. A full one has some 30.
pub const VQ_REPORT_LINES: usize = 256;

/// Octets kept of each text in a voice quality report.
pub const VQ_TEXT_BYTES: usize = 256;

/// Entries kept of a voice quality report that have no field of their own.
pub const VQ_OTHERS: usize = 32;
