import { useNavigate } from '@tanstack/react-router';
import { createContext, useContext } from 'react';
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import type { User } from '../../api/govern';
import { useSession } from '../../session';
import type { Asked, What } from './change-user';

/** Opens the dialog for a change. Cells reach it from here, so that the columns stay the same and keep the focus. */
export const Ask = createContext<(asked: Asked) => void>(() => undefined);

/**
 * A menu gives the focus back to its button in the frame after it closed. A dialog that opens later finds it there, and
 * gives it back there in its turn.
 */
const afterMenu = (action: () => void) => requestAnimationFrame(() => requestAnimationFrame(action));

/** What can be done with one account. */
export function UserMenu({ user }: { user: User }) {
  const ask = useContext(Ask);
  const navigate = useNavigate();
  const { user: me } = useSession();
  const mine = user.id === me.id;
  return (
    <MenuTrigger>
      <Button className="button" aria-label={`Change ${user.display_name}`}>
        Change
        <svg width="10" height="6" viewBox="0 0 10 6" aria-hidden="true">
          <path d="M1 1l4 4 4-4" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu
          aria-label={`Change ${user.display_name}`}
          onAction={(key) => {
            if (key === 'account') return void navigate({ to: '/account' });
            afterMenu(() => ask({ what: key as What, user }));
          }}
        >
          <MenuItem id="rights">Roles and sign-offs</MenuItem>
          <MenuItem id="name">Display name</MenuItem>
          {mine ? <MenuItem id="account">Your password</MenuItem> : <MenuItem id="password">Set a password</MenuItem>}
          {!user.disabled && <MenuItem id="link">Sign-in link</MenuItem>}
          {user.disabled ? <MenuItem id="enable">Enable</MenuItem> : <MenuItem id="disable">Disable</MenuItem>}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
