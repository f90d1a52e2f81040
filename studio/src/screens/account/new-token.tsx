import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { governCommands, type Scope, SCOPES, type Token } from '../../api/govern';
import { applyChanged } from '../../api/live';
import { absoluteTime, dateOf, humanise } from '../../format';
import { Button, Checks, CopyButton, Dialog, ProblemLine, TextField, useForm, useNow } from '../../ui';
import { curlExample, daysError, labelError, SCOPE_TEXTS } from './words';

const DAY_MS = 86_400_000;
type Made = Token & { token: string };

/**
 * Makes a token and shows it once. It stays in the state of what is inside the dialog and in no cache, so that it is gone
 * when the dialog closes.
 */
export function NewToken({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="API token" role="alertdialog" open={open} onClose={onClose} wide>
      <Inside onClose={onClose} />
    </Dialog>
  );
}

function Inside({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<Made | null>(null);
  return made ? <Shown made={made} onClose={onClose} /> : <TokenForm onClose={onClose} onMade={setMade} />;
}

function TokenForm({ onClose, onMade }: { onClose: () => void; onMade: (made: Made) => void }) {
  const client = useQueryClient();
  const form = useForm();
  const now = useNow();
  const [label, setLabel] = useState('');
  const [scopes, setScopes] = useState<Scope[]>(['read']);
  const [days, setDays] = useState('90');

  const errors = { label: labelError(label.trim()), days: daysError(days.trim()) };
  const valid = errors.label === null && errors.days === null && scopes.length > 0;
  const make = form.send(valid, async () => {
    onMade(await governCommands.addToken({ label: label.trim(), scopes, expires_in_days: Number(days) }));
    applyChanged(client, ['tokens', 'audit']);
  });

  return (
    <form className="stack" ref={form.ref} onSubmit={make} noValidate autoComplete="off">
      <TextField
        label="Label" autoFocus isRequired autoComplete="off" value={label} onChange={setLabel}
        error={form.tried ? errors.label : null} hint="What it is for: the program or the place that will hold it."
      />
      <Checks
        label="Scopes" value={scopes} onChange={setScopes} hint="What the token may be used for, never more than you may do yourself."
        options={SCOPES.map((scope) => ({ value: scope, label: humanise(scope), hint: SCOPE_TEXTS[scope] }))}
        error={form.tried && scopes.length === 0 ? 'Choose at least one scope.' : null}
      />
      {scopes.length === SCOPES.length && <p className="notice">With all four, the token can also be used to sign in to the studio as you.</p>}
      <TextField
        label="Days until it ends" inputMode="numeric" autoComplete="off" value={days} onChange={setDays}
        error={form.tried ? errors.days : null}
        hint={errors.days === null ? `It ends on ${dateOf(new Date(now.getTime() + Number(days) * DAY_MS).toISOString())}.` : 'From 1 to 366.'}
      />
      {form.problem !== null && <ProblemLine problem={form.problem} />}
      <div className="dialog-actions">
        <Button onPress={onClose}>Cancel</Button>
        <Button type="submit" look="primary" isPending={form.busy}>Make the token</Button>
      </div>
    </form>
  );
}

function Shown({ made, onClose }: { made: Made; onClose: () => void }) {
  const curl = curlExample(window.location.origin);
  return (
    <div className="stack">
      <p className="notice" role="status"><span>Copy the token now. It is shown this once and cannot be shown again.</span></p>
      <div className="stack-s">
        <h3 id="new-token">{made.label}</h3>
        <pre className="command" tabIndex={0} aria-labelledby="new-token"><code>{made.token}</code></pre>
        <CopyButton text={made.token} label="Copy the token" />
      </div>
      <div className="stack-s">
        <h3 id="new-token-use">How it is used</h3>
        <p className="small prose">In the header <span className="mono">Authorization</span> of every request. With the token in the variable <span className="mono">THROUGHLINE_TOKEN</span>:</p>
        <pre className="command" tabIndex={0} aria-labelledby="new-token-use"><code>{curl}</code></pre>
        <CopyButton text={curl} label="Copy the example" />
      </div>
      <p className="small muted">Scopes: {made.scopes.map(humanise).join(', ')}. It ends on {absoluteTime(made.expires_at)}.</p>
      <div className="dialog-actions"><Button look="primary" onPress={onClose}>I have copied it</Button></div>
    </div>
  );
}
