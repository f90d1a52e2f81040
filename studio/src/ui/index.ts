/** What screens are built from. */
export { Page } from './page';
export { Card } from './card';
export { Button } from './button';
export { Badge, EvidenceTier, tierNumber, type Tone } from './badge';
export { Select, Segments, type Option } from './choices';
export { TextField } from './fields';
export { Checks, Radios } from './checks';
export { CopyButton } from './copy';
export { Dialog, ReasonDialog } from './dialog';
export { useForm } from './form';
export { Outcome, type Said } from './outcome';
export { PASSWORD_RULE, PasswordField, passwordError } from './password';
export { Tabs } from './tabs';
export { DataTable, type Column } from './data-table';
export { EmptyState, Notice, Skeleton } from './feedback';
export { ProblemLine, ProblemView } from './problem';
export { Id, IntervalText, Money, Time, useNow } from './text';
