import { type ReactNode, useState } from 'react';
import { count, plural } from '../format';
import { Button } from './button';
import { TextField } from './fields';

const LEAST = 12;
const MOST = 200;
export const PASSWORD_RULE = `${LEAST} to ${MOST} characters, of any kind. Length is what counts.`;

/** What is wrong with a new password; characters are counted as the server does. */
export function passwordError(password: string): string | null {
  const length = [...password].length;
  if (length >= LEAST && length <= MOST) return null;
  return `This has ${plural(length, 'character')}: it must have ${count(LEAST)} to ${count(MOST)}.`;
}

interface PasswordFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  autoComplete: 'current-password' | 'new-password';
  hint?: ReactNode;
  error?: string | null;
  autoFocus?: boolean;
}

/** A password, hidden until its writer wants to see what was typed. */
export function PasswordField({ label, ...props }: PasswordFieldProps) {
  const [shown, setShown] = useState(false);
  return (
    <div className="password-field">
      <TextField {...props} label={label} type={shown ? 'text' : 'password'} spellCheck="false" />
      <Button look="quiet" aria-label={`${shown ? 'Hide' : 'Show'} ${label.toLowerCase()}`} onPress={() => setShown(!shown)}>
        {shown ? 'Hide' : 'Show'}
      </Button>
    </div>
  );
}
