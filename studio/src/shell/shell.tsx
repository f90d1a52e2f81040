import { useQuery } from '@tanstack/react-query';
import { Outlet, useLocation } from '@tanstack/react-router';
import { Suspense, useCallback, useEffect, useState } from 'react';
import { Button as AriaButton, Dialog, Modal, ModalOverlay } from 'react-aria-components';
import { type LiveState, useLive } from '../api/live';
import { queries } from '../api/queries';
import { useMay, useSession } from '../session';
import { Skeleton } from '../ui';
import { AsOfNotice, asOfOf, CopyLink } from './as-of';
import { FreezeBanner } from './freeze';
import { Brand, NavList } from './nav-list';
import { ShortcutHelp, useShortcuts } from './shortcuts';
import { UserMenu } from './user-menu';

const LIVE_TEXT: Record<LiveState, string> = {
  connecting: 'Connecting',
  live: 'Live',
  offline: 'Connection lost, trying again',
};

/** The frame around every screen: navigation, banners, the live connection. */
export function Shell() {
  const { may } = useSession();
  const can = useMay();
  const live = useLive();
  const { data: line } = useQuery({ ...queries.line(), enabled: can('getLine') });
  const [help, setHelp] = useState(false);
  const openHelp = useCallback(() => setHelp(true), []);
  useShortcuts(openHelp);

  const asOf = asOfOf(line);
  const approvals = line?.approvals_pending ?? 0;
  const foot = (
    <div className="foot">
      <CopyLink asOf={asOf} />
      <span className="live" data-state={live} role="status">{LIVE_TEXT[live]}</span>
      <UserMenu onHelp={openHelp} />
    </div>
  );

  return (
    <div className="shell">
      <a className="skip" href="#main">Skip to content</a>
      <aside className="side" aria-label="Navigation">
        <Brand project={line?.project.name} />
        <NavList may={may} approvals={approvals} />
        {foot}
      </aside>
      <TopBar project={line?.project.name} attention={approvals > 0}>
        {(close) => (
          <>
            <NavList may={may} approvals={approvals} onNavigate={close} />
            {foot}
          </>
        )}
      </TopBar>
      <div className="main-column">
        {line?.frozen && <FreezeBanner frozen={line.frozen} />}
        <main id="main" tabIndex={-1}>
          <div className="stack">
            <AsOfNotice asOf={asOf} />
            <Suspense fallback={<Skeleton />}>
              <Outlet />
            </Suspense>
          </div>
        </main>
      </div>
      <ShortcutHelp open={help} onClose={() => setHelp(false)} />
    </div>
  );
}

interface TopBarProps {
  project?: string;
  attention: boolean;
  children: (close: () => void) => React.ReactNode;
}

/** On small screens: the brand and a menu that opens as a drawer. */
function TopBar({ project, attention, children }: TopBarProps) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const { pathname } = useLocation();
  useEffect(() => setOpen(false), [pathname]);
  return (
    <header className="top">
      <Brand project={project} />
      <AriaButton className="icon-button" aria-label={attention ? 'Menu, approvals waiting' : 'Menu'} onPress={() => setOpen(true)}>
        <svg width="20" height="14" viewBox="0 0 20 14" aria-hidden="true">
          <path d="M1 1h18M1 7h18M1 13h18" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" />
        </svg>
        {attention && <span className="dot" />}
      </AriaButton>
      <ModalOverlay className="drawer-veil" isOpen={open} onOpenChange={setOpen} isDismissable>
        <Modal className="drawer">
          <Dialog aria-label="Menu">
            <div className="row row-between">
              <Brand project={project} />
              <AriaButton className="icon-button" aria-label="Close menu" onPress={close}>
                <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
                  <path d="M2 2l12 12M14 2L2 14" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" />
                </svg>
              </AriaButton>
            </div>
            {children(close)}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </header>
  );
}
