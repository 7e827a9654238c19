//! Finds the parts that prevented the end of a run within the grace period: [`overdue`] and [`overdue_sources`].

use crate::run::control::{Member, RunState};
use crate::run::error::{Error, FailureKind};
use crate::run::part::Role;

/// Returns a failure for each part after the sources that is most likely to block the end of the run. Other parts that
/// have not ended may only be waiting for these.
pub(super) fn overdue(run: &RunState) -> Vec<Error> {
    if run.is_drained() {
        // The last part has ended after the deadline but before this call.
        return Vec::new();
    }
    // Before the checks have passed, all other parts wait for the parts that make them.
    let may_be_busy = |member: &Member| !run.checking || member.part.opens_first();
    let is_suspect =
        |member: &&Member| member.part.role() != Role::Source && !member.has_ended() && may_be_busy(member);
    let mut suspects: Vec<_> = run.parts.iter().filter(is_suspect).flat_map(|member| member.part.overdue()).collect();
    let Some(strongest) = suspects.iter().map(|(evidence, _)| *evidence).min() else {
        let failure = || Error::pipeline_failure(FailureKind::TimedOut { undelivered: None });
        return if run.is_done() { Vec::new() } else { vec![failure()] };
    };
    suspects.retain(|(evidence, _)| *evidence == strongest);
    let mut failures: Vec<Error> = Vec::new();
    for (_, error) in suspects {
        // Several workers can be busy with the same computation, which is named once.
        let is_known = matches!(&error, Error::Computation(failure)
            if failures.iter().any(|known| matches!(known, Error::Computation(other) if other.name() == failure.name())));
        if !is_known {
            failures.push(error);
        }
    }
    failures
}

/// Returns a failure for each source that has not ended.
pub(super) fn overdue_sources(run: &RunState) -> Vec<Error> {
    let busy = run.parts.iter().filter(|member| member.part.role() == Role::Source && !member.has_ended());
    busy.flat_map(|member| member.part.overdue()).map(|(_, error)| error).collect()
}
