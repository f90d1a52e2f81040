import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { governCommands, isApproval, keepApproval, type User, type UserChange } from '../../api/govern';
import { applyChanged } from '../../api/live';
import { useSession } from '../../session';
import { Button, Dialog, PASSWORD_RULE, PasswordField, passwordError, ProblemLine, type Said, TextField, useForm } from '../../ui';
import { LinkCommand } from './parts';
import { type Rights, RightsFields } from './rights';
import { displayNameError, sameSet } from './words';

/** Each change is made by itself: they differ in what they end. */
export type What = 'name' | 'rights' | 'password' | 'disable' | 'enable' | 'link';

export interface Asked {
  what: What;
  user: User;
}

const TITLES: Record<What, (name: string) => string> = {
  name: (name) => `Rename ${name}`,
  rights: (name) => `Rights of ${name}`,
  password: (name) => `Password of ${name}`,
  disable: (name) => `Disable ${name}?`,
  enable: (name) => `Enable ${name}?`,
  link: (name) => `Sign-in link for ${name}`,
};

interface ChangeUserProps {
  asked: Asked | null;
  onClose: () => void;
  onDone: (said: Said) => void;
}

export function ChangeUser({ asked, onClose, onDone }: ChangeUserProps) {
  return (
    <Dialog
      title={asked ? TITLES[asked.what](asked.user.display_name) : ''} open={asked !== null} onClose={onClose}
      wide={asked?.what === 'rights'} role={asked?.what === 'link' ? 'dialog' : 'alertdialog'}
    >
      {asked && <Inside asked={asked} onClose={onClose} onDone={onDone} />}
    </Dialog>
  );
}

function Inside({ asked: { what, user }, onClose, onDone }: ChangeUserProps & { asked: Asked }) {
  const form = { user, onClose, onDone };
  return (
    <>
      {what === 'name' && <NameForm {...form} />}
      {what === 'rights' && <RightsForm {...form} />}
      {what === 'password' && <PasswordForm {...form} />}
      {what === 'disable' && <DisableForm {...form} />}
      {what === 'enable' && <EnableForm {...form} />}
      {what === 'link' && (
        <>
          <div className="small"><LinkCommand name={user.name} /></div>
          <div className="dialog-actions"><Button autoFocus onPress={onClose}>Close</Button></div>
        </>
      )}
    </>
  );
}

interface FormProps extends Omit<ChangeUserProps, 'asked'> {
  user: User;
}

/** Sends a change, has everything read again that it may have changed, and says what came of it. */
function useChange({ user, onClose, onDone }: FormProps) {
  const client = useQueryClient();
  const { user: me } = useSession();
  const form = useForm();
  const change = (valid: boolean, body: UserChange, done: string) =>
    form.send(valid, async () => {
      const answer = await governCommands.changeUser(user.id, body);
      onClose();
      if (isApproval(answer)) {
        keepApproval(client, answer);
        onDone({
          text: (
            <>
              <strong>Nothing is changed yet.</strong> A rule of the project asks for agreement to the new rights of {user.display_name}.{' '}
              <Link to="/approvals/$id" params={{ id: answer.id }}>Open the request</Link>
            </>
          ),
        });
        return;
      }
      applyChanged(client, ['users', 'audit']);
      // Other changes of one's own account end the session; reading the users finds that out.
      if (user.id === me.id && body.display_name !== undefined) applyChanged(client, ['session']);
      onDone({ text: done });
    });
  return { ...form, change, mine: user.id === me.id };
}

type Change = ReturnType<typeof useChange>;

function Rest({ form, action, danger, onClose }: { form: Change; action: string; danger?: boolean; onClose: () => void }) {
  return (
    <>
      {form.problem !== null && <ProblemLine problem={form.problem} />}
      <div className="dialog-actions">
        <Button onPress={onClose}>Cancel</Button>
        <Button type="submit" look={danger ? 'danger' : 'primary'} isPending={form.busy}>{action}</Button>
      </div>
    </>
  );
}

function NameForm(props: FormProps) {
  const form = useChange(props);
  const [name, setName] = useState(props.user.display_name);
  const error = name.trim() === '' ? 'Give a name.' : displayNameError(name.trim());
  return (
    <form className="stack" ref={form.ref} noValidate onSubmit={form.change(error === null, { display_name: name.trim() }, `${props.user.name} is now called ${name.trim()}.`)}>
      <TextField
        label="Display name" autoFocus autoComplete="off" value={name} onChange={setName} error={form.tried ? error : null}
        hint={`The sign-in name stays ${props.user.name}.`}
      />
      <Rest form={form} action="Rename" onClose={props.onClose} />
    </form>
  );
}

function RightsForm(props: FormProps) {
  const { user } = props;
  const form = useChange(props);
  const [rights, setRights] = useState<Rights>({ roles: user.roles, sign_offs: user.sign_offs });
  // Only what differs is sent: the order of roles alone is no change.
  const body: UserChange = {
    ...(!sameSet(rights.roles, user.roles) && { roles: rights.roles }),
    ...(!sameSet(rights.sign_offs, user.sign_offs) && { sign_offs: rights.sign_offs }),
  };
  const same = Object.keys(body).length === 0;
  const losesAdmin = form.mine && user.roles.includes('admin') && !rights.roles.includes('admin');
  return (
    <form className="stack" ref={form.ref} noValidate onSubmit={form.change(rights.roles.length > 0 && !same, body, `The rights of ${user.display_name} are changed.`)}>
      <RightsFields value={rights} onChange={setRights} tried={form.tried} />
      <div className="stack-s small muted prose">
        <p>
          {form.mine ? 'This is your own account: you are signed out when its rights change.' : 'When rights change, the person is signed out and signs in again.'}{' '}
          Where a rule of the project asks for agreement, nothing changes until others agree.
        </p>
        {user.methods.includes('oidc') && <p>This person signs in at the provider: from the next sign-in on, rights follow the groups there again.</p>}
      </div>
      {losesAdmin && <p className="notice">You take your own role of administrator away. Only another administrator can give it back.</p>}
      {form.tried && same && <p className="small" role="status">Nothing differs from the rights as they are.</p>}
      <Rest form={form} action="Change the rights" onClose={props.onClose} />
    </form>
  );
}

function PasswordForm(props: FormProps) {
  const { user } = props;
  const form = useChange(props);
  const [password, setPassword] = useState('');
  const error = passwordError(password);
  return (
    <form className="stack" ref={form.ref} noValidate onSubmit={form.change(error === null, { password }, `${user.display_name} has a new password.`)}>
      <p className="small prose">
        {user.methods.includes('password') ? 'The password so far stops working' : 'There is no password so far'}. {user.display_name} is signed
        out everywhere. Hand the new one over in person, and ask for it to be changed under Account.
      </p>
      <input hidden readOnly type="text" autoComplete="username" value={user.name} />
      <PasswordField
        label="New password" autoFocus autoComplete="new-password" value={password} onChange={setPassword}
        error={form.tried ? error : null} hint={PASSWORD_RULE}
      />
      <Rest form={form} action="Set the password" onClose={props.onClose} />
    </form>
  );
}

function DisableForm(props: FormProps) {
  const { user } = props;
  const form = useChange(props);
  return (
    <form className="stack" ref={form.ref} noValidate onSubmit={form.change(true, { disabled: true }, `${user.display_name} is disabled: signed out, and tokens are refused.`)}>
      <div className="stack-s small prose">
        <p>
          Every session of {user.display_name} ends at once, every API token is refused, and nobody can sign in to the account.
          It can be enabled again. What was done with it stays on record.
        </p>
        {form.mine && <p className="notice">This is your own account. You are signed out, and only another administrator can let you in again.</p>}
      </div>
      <Rest form={form} action="Disable" danger onClose={props.onClose} />
    </form>
  );
}

function EnableForm(props: FormProps) {
  const { user } = props;
  const form = useChange(props);
  return (
    <form className="stack" ref={form.ref} noValidate onSubmit={form.change(true, { disabled: false }, `${user.display_name} is enabled.`)}>
      <p className="small prose">
        {user.display_name} can sign in again, with the rights as they stand. API tokens that have neither ended nor been revoked
        work again too.
      </p>
      <Rest form={form} action="Enable" onClose={props.onClose} />
    </form>
  );
}
