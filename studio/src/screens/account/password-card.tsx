import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '../../api/client';
import { governCommands } from '../../api/govern';
import { queries } from '../../api/queries';
import type { SessionUser } from '../../api/types';
import { Button, Card, PASSWORD_RULE, PasswordField, passwordError, ProblemLine, type Said, useForm } from '../../ui';

/** What the server answers to a wrong password, and not to a session that is over. */
const WRONG_CREDENTIALS = 'TL921';

export function PasswordCard({ user, onSaid }: { user: SessionUser; onSaid: (said: Said) => void }) {
  const client = useQueryClient();
  const form = useForm();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  // The current password that was refused; another one is not wrong yet.
  const [refused, setRefused] = useState<string | null>(null);

  const error = passwordError(next);
  const wrong = form.problem instanceof Problem && form.problem.code === WRONG_CREDENTIALS;
  const change = form.send(error === null, async () => {
    setRefused(null);
    try {
      await governCommands.changePassword({ current: current || null, new: next });
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 401) {
        if (problem.code === WRONG_CREDENTIALS) setRefused(current);
        // The session is over: the next read finds that out and leads to the sign-in.
        else void client.invalidateQueries({ queryKey: ['tokens'] });
      }
      throw problem;
    }
    setCurrent('');
    setNext('');
    // The change began a new session: what is sent from now on needs its token against forgery.
    await client.invalidateQueries({ queryKey: queries.session().queryKey });
    onSaid({ text: 'Your password is changed. Your other sessions are signed out; API tokens go on working.' });
  });

  return (
    <Card title="Password" note="Changing it signs you out everywhere else.">
      <form className="stack" ref={form.ref} onSubmit={change} noValidate>
        <input hidden readOnly type="text" name="username" autoComplete="username" value={user.name} />
        {user.methods.includes('password') && (
          <PasswordField
            label="Current password" autoComplete="current-password" value={current} onChange={setCurrent}
            error={refused !== null && refused === current ? 'This is not your current password.' : null}
          />
        )}
        <PasswordField
          label="New password" autoComplete="new-password" value={next} onChange={setNext} hint={PASSWORD_RULE}
          error={form.tried ? error : null}
        />
        {form.problem !== null && !wrong && <ProblemLine problem={form.problem} />}
        <div><Button type="submit" look="primary" isPending={form.busy}>Change the password</Button></div>
      </form>
    </Card>
  );
}
