import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from 'react-aria-components';
import { setCsrfToken } from '../api/client';
import { commands, queries } from '../api/queries';
import { useSession } from '../session';
import { chooseTheme, currentTheme, type Theme } from './theme';

const initials = (name: string) =>
  name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => word.charAt(0).toUpperCase()).join('') || '?';

export function UserMenu({ onHelp }: { onHelp: () => void }) {
  const { user } = useSession();
  const client = useQueryClient();
  const router = useRouter();
  const [theme, setTheme] = useState<Theme>(currentTheme);

  async function signOut() {
    try {
      await commands.signOut();
    } finally {
      setCsrfToken(null);
      client.clear();
      client.setQueryData(queries.session().queryKey, null);
      await router.navigate({ to: '/sign-in' });
    }
  }

  return (
    <MenuTrigger>
      <Button className="user-button">
        <span className="avatar" aria-hidden="true">{initials(user.display_name)}</span>
        <span className="who">
          <span>{user.display_name}</span>
          <small>{[...user.roles, ...user.sign_offs.map((name) => `signs for ${name}`)].join(', ')}</small>
        </span>
      </Button>
      <Popover className="popover" placement="top start">
        <Menu
          aria-label="User"
          onAction={(key) => {
            if (key === 'out') void signOut();
            if (key === 'account') void router.navigate({ to: '/account' });
            if (key === 'help') onHelp();
          }}
        >
          <MenuSection
            selectionMode="single" disallowEmptySelection selectedKeys={[theme]}
            onSelectionChange={(keys) => {
              const [next] = keys as Set<Theme>;
              if (!next) return;
              chooseTheme(next);
              setTheme(next);
            }}
          >
            <Header className="section-label">Theme</Header>
            <MenuItem id="system">As the system</MenuItem>
            <MenuItem id="light">Light</MenuItem>
            <MenuItem id="dark">Dark</MenuItem>
          </MenuSection>
          <MenuSection aria-label="Session">
            <MenuItem id="account">Account</MenuItem>
            <MenuItem id="help" textValue="Keyboard shortcuts">Keyboard shortcuts <kbd>?</kbd></MenuItem>
            <MenuItem id="out">Sign out</MenuItem>
          </MenuSection>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
