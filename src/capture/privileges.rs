//! Giving up root once all devices are open.
//!
//! Decoding what strangers send needs no rights, so none are kept: capture goes on through the open handles.

use std::ffi::CString;

use caps::CapSet;
use nix::unistd::{Gid, Uid, User, geteuid, getgrouplist, getresgid, getresuid, setgroups, setresgid, setresuid};

use super::save::Owner;

/// Who started the program and what was asked for, as the command line and the environment say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invoker {
    /// The environment's `SUDO_UID`.
    pub sudo_uid: Option<String>,
    /// The environment's `SUDO_GID`.
    pub sudo_gid: Option<String>,
    /// `--user NAME`, or a user number.
    pub user: Option<String>,
    /// `--no-drop`.
    pub keep: bool,
}

impl Invoker {
    /// Who called sudo, if this process is still root's: new files are to belong to that user.
    pub fn file_owner(&self) -> Option<Owner> {
        let number = |text: &Option<String>| text.as_ref()?.parse::<u32>().ok().filter(|number| *number != u32::MAX);
        let owner = Owner { uid: number(&self.sudo_uid)?, gid: number(&self.sudo_gid)? };
        (geteuid().is_root() && owner.uid != 0).then_some(owner)
    }
}

/// What became of the privileges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The process is this user now, without any capability.
    To {
        /// User number.
        uid: u32,
        /// Group number.
        gid: u32,
        /// User name, where there is one.
        name: Option<String>,
    },
    /// The process was no root and gave up its file capabilities.
    Capabilities,
    /// They were kept, or there were none, for this reason.
    Kept(&'static str),
}

/// Why privileges could not be given up; going on regardless would be worse than stopping.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// `--user` names nobody.
    #[error("--user {user}: no such user. Name one from /etc/passwd, or keep root with --no-drop")]
    NoUser {
        /// As given.
        user: String,
    },
    /// `--user` without being root.
    #[error("--user {user}: only root can become another user. Run it with sudo, or without --user")]
    NotRoot {
        /// As given.
        user: String,
    },
    /// sudo's variables are not numbers.
    #[error("SUDO_UID={uid} SUDO_GID={gid} are no user and group. Use --user NAME, or keep root with --no-drop")]
    BadSudo {
        /// As found.
        uid: String,
        /// As found.
        gid: String,
    },
    /// The system refused.
    #[error("Could not give up root ({step}: {why}). Use --no-drop to go on with root's rights")]
    Refused {
        /// The call that failed.
        step: &'static str,
        /// The system's words.
        why: String,
    },
    /// The rights are still there, or can be had back.
    #[error("Root's rights could be regained after dropping them. Use --no-drop to go on with root's rights")]
    StillRoot,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Plan {
    Become { uid: u32, gid: u32 },
    BecomeNamed(String),
    DropCapabilities,
    Keep(&'static str),
}

/// Gives up what root or file capabilities allow. To be called after all devices are open and before any thread is
/// started, since capabilities belong to threads.
///
/// Root that came through sudo becomes the user who called sudo; `--user` overrides that. Root without sudo stays root:
/// in a container there often is no other user, and no way to guess one.
pub fn drop_privileges(invoker: &Invoker) -> Result<Dropped, PrivilegeError> {
    match plan(invoker, geteuid().is_root())? {
        Plan::Become { uid, gid } => become_user(Uid::from_raw(uid), Gid::from_raw(gid), user_by_id(uid)),
        Plan::BecomeNamed(name) => {
            let user = find_user(&name).ok_or(PrivilegeError::NoUser { user: name })?;
            become_user(user.uid, user.gid, Some(user))
        }
        Plan::DropCapabilities => {
            let had = caps::read(None, CapSet::Permitted).is_ok_and(|capabilities| !capabilities.is_empty());
            clear_capabilities()?;
            Ok(if had { Dropped::Capabilities } else { Dropped::Kept("there are none to drop") })
        }
        Plan::Keep(why) => Ok(Dropped::Kept(why)),
    }
}

fn plan(invoker: &Invoker, is_root: bool) -> Result<Plan, PrivilegeError> {
    if invoker.keep {
        return Ok(Plan::Keep("--no-drop"));
    }
    match (&invoker.user, is_root) {
        (Some(user), true) => return Ok(Plan::BecomeNamed(user.clone())),
        (Some(user), false) => return Err(PrivilegeError::NotRoot { user: user.clone() }),
        (None, false) => return Ok(Plan::DropCapabilities),
        (None, true) => {}
    }
    let Some(sudo_uid) = &invoker.sudo_uid else { return Ok(Plan::Keep("root without sudo; --user NAME drops it")) };
    let sudo_gid = invoker.sudo_gid.clone().unwrap_or_default();
    let (Ok(uid), Ok(gid)) = (sudo_uid.parse::<u32>(), sudo_gid.parse::<u32>()) else {
        return Err(PrivilegeError::BadSudo { uid: sudo_uid.clone(), gid: sudo_gid });
    };
    // The highest number means "leave as it is" to the system.
    if uid == u32::MAX || gid == u32::MAX {
        return Err(PrivilegeError::BadSudo { uid: sudo_uid.clone(), gid: sudo_gid });
    }
    Ok(if uid == 0 { Plan::Keep("root called sudo; --user NAME drops it") } else { Plan::Become { uid, gid } })
}

fn user_by_id(uid: u32) -> Option<User> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten()
}

fn find_user(name: &str) -> Option<User> {
    let by_name = User::from_name(name).ok().flatten();
    by_name.or_else(|| user_by_id(name.parse::<u32>().ok()?))
}

fn become_user(uid: Uid, gid: Gid, user: Option<User>) -> Result<Dropped, PrivilegeError> {
    let refused =
        |step: &'static str| move |error: nix::Error| PrivilegeError::Refused { step, why: error.desc().to_owned() };
    let name = user.map(|user| user.name);
    if uid.is_root() {
        return Ok(Dropped::Kept("--user is root"));
    }
    setgroups(&groups(name.as_deref(), gid)).map_err(refused("setgroups"))?;
    setresgid(gid, gid, gid).map_err(refused("setresgid"))?;
    setresuid(uid, uid, uid).map_err(refused("setresuid"))?;
    clear_capabilities()?;
    verify(uid, gid)?;
    Ok(Dropped::To { uid: uid.as_raw(), gid: gid.as_raw(), name })
}

/// The user's own groups, so that files shared with them stay readable.
fn groups(name: Option<&str>, gid: Gid) -> Vec<Gid> {
    let name = name.and_then(|name| CString::new(name).ok());
    let groups = name.and_then(|name| getgrouplist(&name, gid).ok());
    let mut groups = groups.unwrap_or_else(|| vec![gid]);
    groups.retain(|group| group.as_raw() != 0);
    groups
}

fn clear_capabilities() -> Result<(), PrivilegeError> {
    // Kernels before 4.3 know no ambient set, and then there is nothing in it.
    let _ = caps::clear(None, CapSet::Ambient);
    for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
        caps::clear(None, set).map_err(|error| PrivilegeError::Refused { step: "capset", why: error.to_string() })?;
    }
    Ok(())
}

/// Looks at the result, and tries to become root again, which must fail.
fn verify(uid: Uid, gid: Gid) -> Result<(), PrivilegeError> {
    let users = getresuid().is_ok_and(|now| [now.real, now.effective, now.saved] == [uid; 3]);
    let groups = getresgid().is_ok_and(|now| [now.real, now.effective, now.saved] == [gid; 3]);
    let capable = caps::read(None, CapSet::Permitted).map_or(true, |left| !left.is_empty());
    let root = Uid::from_raw(0);
    if !users || !groups || capable || setresuid(root, root, root).is_ok() {
        return Err(PrivilegeError::StillRoot);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sudo(uid: &str, gid: &str) -> Invoker {
        Invoker { sudo_uid: Some(uid.to_owned()), sudo_gid: Some(gid.to_owned()), ..Invoker::default() }
    }

    #[test]
    fn sudo_gives_root_back_to_who_called_it() {
        assert_eq!(plan(&sudo("1000", "1001"), true).unwrap(), Plan::Become { uid: 1000, gid: 1001 });
        assert!(matches!(plan(&sudo("0", "0"), true).unwrap(), Plan::Keep(_)));
        assert!(matches!(plan(&Invoker::default(), true).unwrap(), Plan::Keep(_)));
    }

    #[test]
    fn what_the_command_line_says_comes_first() {
        let named = Invoker { user: Some("nobody".to_owned()), ..sudo("1000", "1000") };
        assert_eq!(plan(&named, true).unwrap(), Plan::BecomeNamed("nobody".to_owned()));
        assert_eq!(plan(&Invoker { keep: true, ..named.clone() }, true).unwrap(), Plan::Keep("--no-drop"));
        assert!(matches!(plan(&named, false), Err(PrivilegeError::NotRoot { .. })));
        assert_eq!(plan(&sudo("1000", "1000"), false).unwrap(), Plan::DropCapabilities);
    }

    #[test]
    fn nonsense_from_sudo_stops_the_program() {
        for (uid, gid) in [("x", "1000"), ("1000", ""), ("-1", "1"), ("4294967295", "1"), ("1000", "4294967295")] {
            assert!(matches!(plan(&sudo(uid, gid), true), Err(PrivilegeError::BadSudo { .. })), "{uid} {gid}");
        }
    }

    #[test]
    fn users_are_found_by_name_and_number() {
        assert!(find_user("root").is_some_and(|user| user.uid.is_root()));
        assert!(find_user("0").is_some_and(|user| user.name == "root"));
        assert!(find_user("no such user").is_none());
    }
}
