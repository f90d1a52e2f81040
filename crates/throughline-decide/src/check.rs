//! What is wrong with a policy, before it decides anything.

use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;

use crate::allocate::MAX_MICROS;
use crate::{Action, ActionKind, Policy};

/// Every finding about a policy; it can be used when none is an error.
///
/// `arms` names the arms of the uplift model, to find actions whose arm it does not have; `None` leaves that out.
/// Codes: `TL901` names, `TL902` money and margin, `TL903` arms, `TL904` shares, `TL905` caps and cool-downs, `TL906`
/// the `none` action.
pub fn check_policy(policy: &Policy, arms: Option<&[&str]>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    check_header(policy, &mut out);
    check_none(policy, &mut out);
    for (i, action) in policy.actions.iter().enumerate() {
        if policy.actions[..i].iter().any(|earlier| earlier.name == action.name) {
            out.push(Diagnostic::error("TL901", format!("two actions are named `{}`", action.name)));
        }
        check_action(action, arms, &mut out);
    }
    check_constraints(policy, &mut out);
    out
}

fn check_header(policy: &Policy, out: &mut Vec<Diagnostic>) {
    for (what, text) in [("version", &policy.version), ("salt", &policy.salt)] {
        if text.trim().is_empty() {
            out.push(Diagnostic::error("TL901", format!("the policy's {what} is empty")));
        }
    }
    let most = if policy.outcome_is_money { 1.0 } else { 1e9 };
    if !(policy.margin > 0.0 && policy.margin <= most) {
        let message = format!("margin of {} is outside 0 (excluded) to {most}", policy.margin);
        let help = "without `outcome_is_money` it is money per unit of outcome, with it a share of the outcome";
        out.push(Diagnostic::error("TL902", message).help(help));
    }
}

fn check_none(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let nones: Vec<&Action> = policy.actions.iter().filter(|a| a.kind == ActionKind::None).collect();
    let [none] = nones.as_slice() else {
        let message = format!("the policy has {} actions of kind `none`, but needs exactly one", nones.len());
        out.push(Diagnostic::error("TL906", message).help("add `- {name: none, kind: none}`"));
        return;
    };
    let bound = none.cost_micros != 0
        || none.arm.is_some()
        || none.eligibility.is_some()
        || !none.consent.is_empty()
        || none.cooldown_days != 0.0;
    if bound {
        let message =
            format!("action `{}` of kind `none` has a cost, arm, consent, eligibility or cool-down", none.name);
        out.push(Diagnostic::error("TL906", message).help("doing nothing is free and always allowed"));
    }
}

fn check_action(action: &Action, arms: Option<&[&str]>, out: &mut Vec<Diagnostic>) {
    let name = &action.name;
    if name.trim().is_empty() {
        out.push(Diagnostic::error("TL901", "an action has an empty name"));
    }
    if !(0..=MAX_MICROS).contains(&action.cost_micros) {
        let message = format!("cost of {} micros of action `{name}` is outside 0 to {MAX_MICROS}", action.cost_micros);
        out.push(Diagnostic::error("TL902", message));
    }
    if !(action.cooldown_days >= 0.0 && action.cooldown_days <= 3650.0) {
        let message = format!("cool-down of {} days of action `{name}` is outside 0 to 3650", action.cooldown_days);
        out.push(Diagnostic::error("TL905", message));
    }
    match (&action.arm, arms) {
        (None, _) if action.kind.is_contact() => {
            let message = format!("action `{name}` names no arm, so nothing predicts its effect");
            out.push(Diagnostic::error("TL903", message));
        }
        (Some(arm), Some(arms)) if !arms.contains(&arm.as_str()) => {
            let message = format!("action `{name}` names the arm `{arm}`, which the model does not have");
            let help = match closest(arm, arms.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known arms: {}", arms.join(", ")),
            };
            out.push(Diagnostic::error("TL903", message).help(help));
        }
        _ => {}
    }
}

fn check_constraints(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let limits = &policy.constraints;
    if let Some(budget) = limits.budget_micros {
        if budget < 0 {
            out.push(Diagnostic::error("TL902", format!("budget of {budget} micros is negative")));
        } else if budget == 0 {
            out.push(Diagnostic::warning("TL902", "the budget is 0: only actions without cost can be chosen"));
        }
    }
    let (holdout, exploration) = (limits.holdout_share(), limits.exploration_share());
    if holdout + exploration > 1.0 {
        let message = format!("holdout of {holdout} and exploration of {exploration} exceed 1 together");
        out.push(Diagnostic::error("TL904", message));
    }
    if holdout == 0.0 {
        let message = "without a holdout nobody can measure what the policy earns";
        out.push(Diagnostic::warning("TL904", message).help("set `holdout`, for example to 0.05"));
    }
    if limits.min_expected_net_value_micros.abs() > MAX_MICROS {
        let value = limits.min_expected_net_value_micros;
        let message = format!("min_expected_net_value_micros of {value} is outside ±{MAX_MICROS}");
        out.push(Diagnostic::error("TL902", message));
    }
    if let Some(cap) = limits.frequency_cap {
        if !(cap.window_days > 0.0 && cap.window_days <= 365.0) {
            let message =
                format!("window of {} days of the frequency cap is outside 0 (excluded) to 365", cap.window_days);
            out.push(Diagnostic::error("TL905", message));
        }
        if cap.max == 0 {
            out.push(Diagnostic::warning("TL905", "a frequency cap of 0 forbids every contact"));
        }
    }
}
