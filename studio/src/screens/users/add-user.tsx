import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { governCommands, isApproval, keepApproval } from '../../api/govern';
import { applyChanged } from '../../api/live';
import { Button, Dialog, PASSWORD_RULE, PasswordField, passwordError, ProblemLine, type Said, TextField, useForm } from '../../ui';
import { LinkCommand } from './parts';
import { type Rights, RightsFields } from './rights';
import { displayNameError, nameError } from './words';

interface AddUserProps {
  open: boolean;
  onClose: () => void;
  onDone: (said: Said) => void;
}

export function AddUser({ open, onClose, onDone }: AddUserProps) {
  return (
    <Dialog title="Add a user" open={open} onClose={onClose} role="alertdialog" wide>
      <AddForm onClose={onClose} onDone={onDone} />
    </Dialog>
  );
}

function AddForm({ onClose, onDone }: Omit<AddUserProps, 'open'>) {
  const client = useQueryClient();
  const form = useForm();
  const [name, setName] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [rights, setRights] = useState<Rights>({ roles: ['viewer'], sign_offs: [] });
  const [password, setPassword] = useState('');

  const errors = {
    name: nameError(name.trim()),
    displayName: displayNameError(displayName.trim()),
    password: password === '' ? null : passwordError(password),
  };
  const valid = rights.roles.length > 0 && Object.values(errors).every((error) => error === null);
  const shown = (error: string | null) => (form.tried ? error : null);

  const add = form.send(valid, async () => {
    const answer = await governCommands.addUser({
      name: name.trim(), display_name: displayName.trim() || null, ...rights, password: password || null,
    });
    applyChanged(client, ['users', 'audit']);
    onClose();
    if (isApproval(answer)) {
      keepApproval(client, answer);
      onDone({
        text: (
          <>
            {displayName.trim() || name.trim()} is added, <strong>without any rights yet</strong>: a rule of the project asks for agreement to them.{' '}
            <Link to="/approvals/$id" params={{ id: answer.id }}>Open the request</Link>
          </>
        ),
      });
      return;
    }
    const user = answer;
    onDone(
      user.methods.length > 0
        ? { text: `${user.display_name} is added, and signs in as ${user.name} with the password.` }
        : { text: `${user.display_name} is added, without a password.`, detail: <LinkCommand name={user.name} /> },
    );
  });

  return (
    <form className="stack" ref={form.ref} onSubmit={add} noValidate autoComplete="off">
      <div className="two-fields">
        <TextField
          label="Sign-in name" autoFocus isRequired autoComplete="off" spellCheck="false"
          value={name} onChange={setName} error={shown(errors.name)} hint="Letters, digits and . _ - @. It stays as it is."
        />
        <TextField
          label="Display name" autoComplete="off" value={displayName} onChange={setDisplayName}
          error={shown(errors.displayName)} hint="As others see it. The sign-in name unless given."
        />
      </div>
      <RightsFields value={rights} onChange={setRights} tried={form.tried} />
      <PasswordField
        label="Password" autoComplete="new-password" value={password} onChange={setPassword} error={shown(errors.password)}
        hint={`Optional. ${PASSWORD_RULE} Without one, a sign-in link from the command line lets this person in.`}
      />
      {form.problem !== null && <ProblemLine problem={form.problem} />}
      <div className="dialog-actions">
        <Button onPress={onClose}>Cancel</Button>
        <Button type="submit" look="primary" isPending={form.busy}>Add the user</Button>
      </div>
    </form>
  );
}
