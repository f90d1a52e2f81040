/** Takes a token out of `#token=…` and out of the address bar, before anything else can read it. */
export function takeFragmentToken(location: Location = window.location, history: History = window.history): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return null;
  history.replaceState(history.state, '', location.pathname + location.search);
  return token || null;
}
