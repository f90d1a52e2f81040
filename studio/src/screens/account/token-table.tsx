import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useMemo, useState } from 'react';
import { governCommands, type Token, type User } from '../../api/govern';
import { applyChanged } from '../../api/live';
import { absoluteTime, dateOf, humanise } from '../../format';
import { useMay } from '../../session';
import { Badge, Button, type Column, DataTable, Dialog, ProblemLine, type Said, Time, useForm, useNow } from '../../ui';
import './token-table.css';
import { tokenState } from './words';

/** Cells reach these from here, so that the columns stay the same and keep the focus. */
const Owners = createContext<User[]>([]);
const Revoke = createContext<(token: Token) => void>(() => undefined);

const LABEL: Column<Token> = { id: 'label', header: 'Token', enableSorting: false, meta: { rowHeader: true }, cell: ({ row }) => <Label token={row.original} /> };
const OWNER: Column<Token> = { id: 'owner', header: 'Owner', enableSorting: false, cell: ({ row }) => <Owner id={row.original.user_id} /> };
const FACTS: Column<Token>[] = [
  { id: 'scopes', header: 'Scopes', enableSorting: false, cell: ({ row }) => row.original.scopes.map(humanise).join(', ') },
  { id: 'created', header: 'Created', enableSorting: false, cell: ({ row }) => <Time at={row.original.created_at} /> },
  {
    id: 'used', header: 'Last used', enableSorting: false,
    cell: ({ row: { original: { last_used_at } } }) => (last_used_at ? <Time at={last_used_at} /> : <span className="muted">Never</span>),
  },
  { id: 'expires', header: 'Ends', enableSorting: false, cell: ({ row }) => <End token={row.original} /> },
  { id: 'actions', header: () => <span className="visually-hidden">Actions</span>, enableSorting: false, cell: ({ row }) => <RevokeButton token={row.original} /> },
];
const OWN = [LABEL, ...FACTS];
const ALL = [LABEL, OWNER, ...FACTS];

interface TokenTableProps {
  caption: string;
  tokens: Token[];
  /** Names the owners, where the tokens are not all of one. */
  owners?: User[];
  onSaid: (said: Said) => void;
}

export function TokenTable({ caption, tokens, owners, onSaid }: TokenTableProps) {
  const [revoking, setRevoking] = useState<Token | null>(null);
  const known = useMemo(() => owners ?? [], [owners]);
  return (
    <Owners value={known}>
      <Revoke value={setRevoking}>
        <DataTable caption={caption} rows={tokens} columns={owners ? ALL : OWN} rowId={({ id }) => id} stacked />
        <Dialog title="Revoke this token?" role="alertdialog" open={revoking !== null} onClose={() => setRevoking(null)}>
          {revoking && <RevokeForm token={revoking} onClose={() => setRevoking(null)} onSaid={onSaid} />}
        </Dialog>
      </Revoke>
    </Owners>
  );
}

function RevokeForm({ token, onClose, onSaid }: { token: Token; onClose: () => void; onSaid: (said: Said) => void }) {
  const client = useQueryClient();
  const form = useForm();
  const revoke = form.send(true, async () => {
    await governCommands.revokeToken(token.id);
    applyChanged(client, ['tokens', 'audit']);
    onClose();
    onSaid({ text: `The token “${token.label}” is revoked.`, takesFocus: true });
  });
  return (
    <form className="stack" ref={form.ref} onSubmit={revoke} noValidate>
      <p className="small prose wrap-anywhere">
        Programs that use <strong>{token.label}</strong> are refused from now on. This cannot be taken back; a new token can be made.
      </p>
      {form.problem !== null && <ProblemLine problem={form.problem} />}
      <div className="dialog-actions">
        <Button onPress={onClose}>Keep it</Button>
        <Button type="submit" look="danger" isPending={form.busy}>Revoke</Button>
      </div>
    </form>
  );
}

function Label({ token }: { token: Token }) {
  return (
    <span className="token-label">
      <span className="wrap-anywhere">{token.label}</span>
      <small className="mono" title="How the token begins; the rest is known to whoever made it.">tlk_{token.id}_…</small>
    </span>
  );
}

function Owner({ id }: { id: string }) {
  const owner = useContext(Owners).find((user) => user.id === id);
  if (!owner) return <span className="mono">{id}</span>;
  return <span className="row">{owner.display_name}{owner.disabled && <Badge tone="bad">disabled</Badge>}</span>;
}

function End({ token }: { token: Token }) {
  const state = tokenState(token, useNow());
  if (state === 'revoked') return <span><Badge tone="bad">Revoked <Time at={token.revoked_at} /></Badge></span>;
  if (state === 'expired') return <span><Badge>Expired <Time at={token.expires_at} /></Badge></span>;
  // A date: the end has to be known beforehand, to the day.
  return <time dateTime={token.expires_at} title={absoluteTime(token.expires_at)} className="time">{dateOf(token.expires_at)}</time>;
}

function RevokeButton({ token }: { token: Token }) {
  const may = useMay();
  const revoke = useContext(Revoke);
  if (!may('revokeToken') || tokenState(token, useNow()) !== 'live') return null;
  return <Button aria-label={`Revoke ${token.label}`} onPress={() => revoke(token)}>Revoke</Button>;
}
