const TEXTS: Record<string, string> = {
  kept: 'counted',
  outside_lookback: 'too long before the conversion',
  no_consent: 'no consent at the time',
  same_session: 'the same session as a counted touch',
};

/** A rule of the journey stage in words; a rule this version does not know keeps its name. */
export const ruleText = (rule: string) => TEXTS[rule] ?? rule.replaceAll('_', ' ');
