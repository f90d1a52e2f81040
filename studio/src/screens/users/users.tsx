import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { createLazyRoute, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { governQueries, type User } from '../../api/govern';
import { humanise, plural } from '../../format';
import { useMay, useSession } from '../../session';
import { Badge, Button, Card, type Column, DataTable, EmptyState, Outcome, Page, ProblemView, type Said, Skeleton, Time } from '../../ui';
import { AddUser } from './add-user';
import { type Asked, ChangeUser } from './change-user';
import { TokensOfAll } from './tokens-of-all';
import { Ask, UserMenu } from './user-menu';
import './users.css';
import { waysText } from './words';

export const Route = createLazyRoute('/app/users')({ component: Users });

const COLUMNS: Column<User>[] = [
  { id: 'name', header: 'Name', accessorFn: (user) => user.display_name.toLowerCase(), meta: { rowHeader: true }, cell: ({ row }) => <Name user={row.original} /> },
  { id: 'roles', header: 'Roles', enableSorting: false, cell: ({ row }) => <Names names={row.original.roles} none="No role" /> },
  { id: 'signs', header: 'Signs for', enableSorting: false, cell: ({ row }) => <Names names={row.original.sign_offs} none="Nothing" /> },
  {
    id: 'ways', header: 'Signs in with', enableSorting: false,
    cell: ({ row: { original: user } }) =>
      user.methods.length > 0 ? waysText(user) : <span className="cell-note">No password<small>Only by a sign-in link</small></span>,
  },
  {
    id: 'seen', header: 'Last seen', accessorFn: (user) => user.last_seen_at ?? '', sortDescFirst: true,
    cell: ({ row: { original: user } }) => (user.last_seen_at ? <Time at={user.last_seen_at} /> : <span className="muted">Never</span>),
  },
];
const ACTIONS: Column<User> = {
  id: 'actions', header: () => <span className="visually-hidden">Actions</span>, enableSorting: false, cell: ({ row }) => <UserMenu user={row.original} />,
};
const WITH_ACTIONS = [...COLUMNS, ACTIONS];

function Users() {
  const may = useMay();
  const users = useQuery(governQueries.users());
  const [adding, setAdding] = useState(false);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  const rows = users.data?.items ?? [];
  const disabled = rows.filter((user) => user.disabled).length;

  return (
    <Page
      title="Users" lead="Who may sign in, what they may do, and what they may vouch for."
      actions={may('createUser') && <Button look="primary" onPress={() => setAdding(true)}>Add a user</Button>}
    >
      <Outcome said={said} onDismiss={() => setSaid(null)} />
      {users.error && <ProblemView problem={users.error} onRetry={() => void users.refetch()} />}
      {!users.error && (
        <Card title="Accounts" note={users.data && `${plural(rows.length, 'account')}${disabled > 0 ? `, ${disabled} of them disabled` : ''}.`} flush>
          {users.isPending && <div className="card-body"><Skeleton lines={Array<number>(6).fill(100)} height={36} /></div>}
          {users.data && rows.length === 0 && <EmptyState title="No accounts"><p>Add one to let somebody in.</p></EmptyState>}
          {rows.length > 0 && (
            <Ask value={setAsked}>
              <DataTable
                caption="All accounts" rows={rows} columns={may('changeUser') ? WITH_ACTIONS : COLUMNS} rowId={({ id }) => id}
                initialSort={[{ id: 'name', desc: false }]} stacked
              />
            </Ask>
          )}
        </Card>
      )}
      {users.data && may('seeAllTokens') && <TokensOfAll users={rows} onSaid={setSaid} />}
      <AddUser open={adding} onClose={() => setAdding(false)} onDone={setSaid} />
      <ChangeUser asked={asked} onClose={() => setAsked(null)} onDone={setSaid} />
    </Page>
  );
}

function Name({ user }: { user: User }) {
  const { user: me } = useSession();
  return (
    <span className="user-cell">
      <span className="row user-name">
        <span className="wrap-anywhere">{user.display_name}</span>
        {user.id === me.id && <Badge tone="accent">you</Badge>}
        {user.disabled && <Badge tone="bad">disabled</Badge>}
      </span>
      <span className="small muted wrap-anywhere">{user.name}</span>
      <Waiting id={user.id} />
    </span>
  );
}

/** A change of this user's rights that others have still to agree to. */
function Waiting({ id }: { id: string }) {
  const may = useMay();
  const { data } = useInfiniteQuery({ ...governQueries.approvals('pending'), enabled: may('listApprovals') });
  const request = data?.pages.flatMap((page) => page.items).find(({ kind, subject }) => kind === 'role' && subject === id);
  if (!request) return null;
  return <Link className="small" to="/approvals/$id" params={{ id: request.id }}>New rights wait for approval</Link>;
}

function Names({ names, none }: { names: string[]; none: string }) {
  if (names.length === 0) return <span className="muted">{none}</span>;
  return <>{names.map(humanise).join(', ')}</>;
}
