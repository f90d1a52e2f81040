import { useQuery } from '@tanstack/react-query';
import { governQueries, type User } from '../../api/govern';
import { useSession } from '../../session';
import { Card, ProblemView, type Said, Skeleton, useNow } from '../../ui';
import { TokenTable } from '../account/token-table';
import { tokenState } from '../account/words';

/** Tokens that others hold, for whoever may end one that leaked. */
export function TokensOfAll({ users, onSaid }: { users: User[]; onSaid: (said: Said) => void }) {
  const { user: me } = useSession();
  const now = useNow();
  const tokens = useQuery(governQueries.tokens());
  const rows = tokens.data?.items.filter((token) => token.user_id !== me.id && tokenState(token, now) === 'live') ?? [];
  return (
    <Card title="API tokens of others" note="Those that have neither ended nor been revoked. Your own stand under Account." flush>
      {tokens.error && <div className="card-body"><ProblemView problem={tokens.error} onRetry={() => void tokens.refetch()} /></div>}
      {tokens.isPending && <div className="card-body"><Skeleton lines={[100, 100]} height={36} /></div>}
      {tokens.data && rows.length === 0 && <p className="card-body small muted">Nobody else holds a token.</p>}
      {rows.length > 0 && <TokenTable caption="Tokens of others" tokens={rows} owners={users} onSaid={onSaid} />}
    </Card>
  );
}
