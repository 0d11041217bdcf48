//! Status codes and what they mean.
