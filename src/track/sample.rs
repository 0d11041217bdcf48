//! Delays that the state machines find, on their way to the statistics.

use smallvec::SmallVec;

use crate::sip::Method;
use crate::time::Elapsed;

/// One measured delay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sample {
    /// Post-dial delay.
    Pdd(Elapsed),
    /// INVITE to 2xx.
    Setup(Elapsed),
    /// 180 or 183 to 2xx or failure.
    Ring(Elapsed),
    /// First INVITE to the one that was not challenged, of calls that were challenged.
    Auth(Elapsed),
    /// REGISTER to 2xx.
    Registration(Elapsed),
    /// BYE to 2xx.
    Release(Elapsed),
    /// Request of this method to the first final response of its transaction.
    Response(Method, Elapsed),
}

/// The delays that one message ended.
pub type Samples = SmallVec<[Sample; 4]>;
