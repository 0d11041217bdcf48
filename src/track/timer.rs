//! How long a silence may last before it means something (RFC 3261, table 4, with T1 = 500 ms).

use crate::time::Elapsed;

/// 64·T1: timers B, F, H, and N of RFC 6665.
pub const TRANSACTION: Elapsed = Elapsed::from_secs(32);

/// Timer C (16.6): a proxy gives up an INVITE that rings for more than three minutes after its last provisional response.
/// The 64·T1 on top let the proxy's own CANCEL and 487 come first.
pub const RINGING: Elapsed = Elapsed::from_secs(180 + 32);

/// How long after its end a subscription or binding counts as run out: a late refresh and its answer may be on the way.
pub const GRACE: Elapsed = Elapsed::from_secs(32);
