import { useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { governQueries } from '../../api/govern';
import { absoluteTime, humanise } from '../../format';
import { useMay, useSession } from '../../session';
import { Button, Card, Outcome, Page, ProblemView, type Said, Skeleton, useNow } from '../../ui';
import { ROLE_TEXTS, SIGN_OFF_TEXTS } from '../users/words';
import './account.css';
import { NewToken } from './new-token';
import { PasswordCard } from './password-card';
import { TokenTable } from './token-table';
import { inOrder } from './words';

export const Route = createLazyRoute('/app/account')({ component: Account });

function Account() {
  const { user } = useSession();
  const may = useMay();
  const [said, setSaid] = useState<Said | null>(null);
  return (
    <Page title="Account" lead="Who you are here, how you sign in, and the tokens that act in your name.">
      <Outcome said={said} onDismiss={() => setSaid(null)} />
      <div className="account-grid">
        <Profile />
        {may('changeOwnPassword') && <PasswordCard user={user} onSaid={setSaid} />}
      </div>
      {may('listTokens') && <Tokens onSaid={setSaid} />}
    </Page>
  );
}

function Profile() {
  const { user, expires_at } = useSession();
  const may = useMay();
  return (
    <Card
      title={user.display_name}
      note={may('changeUser') ? <>Names and rights are changed under <Link to="/users">Users</Link>.</> : 'An administrator changes names and rights.'}
    >
      <dl className="facts left profile">
        <dt>Sign-in name</dt><dd>{user.name}</dd>
        <dt>Roles</dt><dd><Held names={user.roles} texts={ROLE_TEXTS} none="None, so nothing can be read." /></dd>
        <dt>Signs for</dt><dd><Held names={user.sign_offs} texts={SIGN_OFF_TEXTS} none="Nothing" /></dd>
        {expires_at !== null && <><dt>Session</dt><dd>Ends on {absoluteTime(expires_at)}, or after 12 hours without use.</dd></>}
      </dl>
    </Card>
  );
}

function Held<T extends string>({ names, texts, none }: { names: T[]; texts: Record<T, string>; none: string }) {
  if (names.length === 0) return <>{none}</>;
  return (
    <ul className="held">
      {names.map((name) => <li key={name}>{humanise(name)}<small>{texts[name]}</small></li>)}
    </ul>
  );
}

function Tokens({ onSaid }: { onSaid: (said: Said) => void }) {
  const { user } = useSession();
  const may = useMay();
  const now = useNow();
  const tokens = useQuery(governQueries.tokens());
  const [making, setMaking] = useState(false);
  // Administrators are given everybody's.
  const own = inOrder(tokens.data?.items.filter((token) => token.user_id === user.id) ?? [], now);
  return (
    <Card
      title="API tokens" flush note="For programs that act in your name, within your rights and the scopes of the token."
      actions={may('createToken') && <Button onPress={() => setMaking(true)}>New token</Button>}
    >
      {tokens.error && <div className="card-body"><ProblemView problem={tokens.error} onRetry={() => void tokens.refetch()} /></div>}
      {tokens.isPending && <div className="card-body"><Skeleton lines={[100, 100]} height={36} /></div>}
      {tokens.data && own.length === 0 && <p className="card-body small muted">You have none.</p>}
      {own.length > 0 && <TokenTable caption="Your API tokens" tokens={own} onSaid={onSaid} />}
      <NewToken open={making} onClose={() => setMaking(false)} />
    </Card>
  );
}
