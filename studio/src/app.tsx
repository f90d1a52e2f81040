import { QueryClientProvider } from '@tanstack/react-query';
import { type RouterHistory, RouterProvider } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { I18nProvider, RouterProvider as AriaRouterProvider } from 'react-aria-components';
import { whenSignedOut } from './api/client';
import { makeQueryClient, queries } from './api/queries';
import { makeRouter } from './routes';

export function App({ history }: { history?: RouterHistory }) {
  const [client] = useState(makeQueryClient);
  const [router] = useState(() => makeRouter(client, history));

  useEffect(() => {
    whenSignedOut(() => {
      client.clear();
      client.setQueryData(queries.session().queryKey, null);
      void router.invalidate();
    });
    return () => whenSignedOut(null);
  }, [client, router]);

  return (
    <QueryClientProvider client={client}>
      <I18nProvider locale="en-GB">
        <AriaRouterProvider navigate={(href) => void router.navigate({ href })}>
          <RouterProvider router={router} />
        </AriaRouterProvider>
      </I18nProvider>
    </QueryClientProvider>
  );
}
