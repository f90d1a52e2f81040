import type { QueryClient } from '@tanstack/react-query';
import { createRouter, type RouterHistory } from '@tanstack/react-router';
import { appRoute, rootRoute, signInRoute, unknownRoute } from './app-route';
import { accountRoute } from './screens/account/route';
import { approvalRoute, approvalsRoute } from './screens/approvals/route';
import { attributionRoute } from './screens/attribution/route';
import { auditRoute } from './screens/audit/route';
import { consentRoute } from './screens/consent/route';
import { decisionRoute, decisionsRoute } from './screens/decisions/route';
import { evidenceRecordRoute, evidenceRoute } from './screens/evidence/route';
import { experimentRoute, experimentsRoute } from './screens/experiments/route';
import { conversionRoute, journeysRoute, pathsRoute } from './screens/journeys/route';
import { matchesRoute } from './screens/matches/route';
import { overviewRoute } from './screens/overview/route';
import { personRoute } from './screens/persons/route';
import { sourcesRoute } from './screens/sources/route';
import { truthRoute } from './screens/truth/route';
import { usersRoute } from './screens/users/route';
import { RouteProblem } from './shell/failures';
import { markNavigated } from './ui/page';

/** One line for every screen. */
const screens = [
  overviewRoute,
  sourcesRoute,
  consentRoute,
  matchesRoute,
  journeysRoute,
  pathsRoute,
  conversionRoute,
  attributionRoute,
  experimentsRoute,
  experimentRoute,
  evidenceRoute,
  evidenceRecordRoute,
  decisionsRoute,
  decisionRoute,
  personRoute,
  truthRoute,
  approvalsRoute,
  approvalRoute,
  auditRoute,
  usersRoute,
  accountRoute,
] as const;

const routeTree = rootRoute.addChildren([signInRoute, appRoute.addChildren([...screens, unknownRoute])]);

export function makeRouter(client: QueryClient, history?: RouterHistory) {
  const router = createRouter({
    routeTree,
    history,
    context: { client },
    defaultErrorComponent: RouteProblem,
    defaultPreload: 'intent',
  });
  // The router's own scroll restoration renders an inline script, which the security policy forbids.
  // Going back is the browser's business; a new page starts at its top.
  let pushed = false;
  router.history.subscribe(({ action }) => {
    pushed = action.type === 'PUSH';
  });
  router.subscribe('onResolved', ({ pathChanged }) => {
    if (pushed && pathChanged) window.scrollTo(0, 0);
  });
  router.subscribe('onBeforeNavigate', ({ pathChanged, fromLocation }) => {
    if (pathChanged && fromLocation) markNavigated();
  });
  return router;
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
