import type { ReactNode } from 'react';
import {
  FieldError, Input, Label, Text, TextArea, TextField as AriaTextField, type TextFieldProps as AriaTextFieldProps,
} from 'react-aria-components';

interface TextFieldProps extends Omit<AriaTextFieldProps, 'className' | 'children'> {
  label: string;
  hint?: ReactNode;
  /** Shown, announced, and marks the field invalid. */
  error?: string | null;
  multiline?: boolean;
}

export function TextField({ label, hint, error, multiline, ...props }: TextFieldProps) {
  return (
    <AriaTextField {...props} className="field" isInvalid={props.isInvalid || Boolean(error)}>
      <Label>{label}</Label>
      {multiline ? <TextArea /> : <Input />}
      {hint && <Text slot="description" className="hint">{hint}</Text>}
      <FieldError className="error">{error ?? undefined}</FieldError>
    </AriaTextField>
  );
}
