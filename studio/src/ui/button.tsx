import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components';

export interface ButtonProps extends Omit<AriaButtonProps, 'className'> {
  look?: 'primary' | 'danger' | 'quiet';
}

export function Button({ look, ...props }: ButtonProps) {
  return <AriaButton {...props} className={look ? `button ${look}` : 'button'} />;
}
