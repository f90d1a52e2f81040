import { ROLES, SIGN_OFFS } from '../../api/govern';
import type { Role, SignOff } from '../../api/types';
import { humanise } from '../../format';
import { Checks } from '../../ui';
import { ROLE_TEXTS, ROLES_MISSING, SIGN_OFF_TEXTS } from './words';

export interface Rights {
  roles: Role[];
  sign_offs: SignOff[];
}

/** Roles and sign-offs, with a word on each. */
export function RightsFields({ value, onChange, tried }: { value: Rights; onChange: (value: Rights) => void; tried: boolean }) {
  return (
    <>
      <Checks
        label="Roles" value={value.roles} onChange={(roles) => onChange({ ...value, roles })}
        options={ROLES.map((role) => ({ value: role, label: humanise(role), hint: ROLE_TEXTS[role] }))}
        error={tried && value.roles.length === 0 ? ROLES_MISSING : null}
      />
      <Checks
        label="Sign-offs" hint="What this person may vouch for where a rule of approval asks for it."
        value={value.sign_offs} onChange={(sign_offs) => onChange({ ...value, sign_offs })}
        options={SIGN_OFFS.map((name) => ({ value: name, label: humanise(name), hint: SIGN_OFF_TEXTS[name] }))}
      />
    </>
  );
}
