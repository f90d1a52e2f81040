import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { Page, ProblemView } from '../ui';

/** A screen that broke: the rest of the studio stays. */
export function RouteProblem({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Page title="Something went wrong">
      <ProblemView
        problem={error}
        onRetry={() => {
          reset();
          void router.invalidate();
        }}
      />
    </Page>
  );
}

export function NotFound() {
  return (
    <Page title="Page not found" lead="The address leads nowhere. It may be mistyped, or what it showed is gone.">
      <p><Link to="/">Go to the overview</Link></p>
    </Page>
  );
}
