/**
 * Names for the shapes of the API. They come from its document by way of `schema.ts`, which is generated: what the
 * server says and what the studio believes cannot differ.
 */
import type { components } from './schema';

type Shapes = components['schemas'];

export type Instant = string;
export type Interval = [number, number];

export interface Paged<T> {
  items: T[];
  next_cursor: string | null;
  total: number | null;
}

export type Role = Shapes['RoleName'];
export type SignOff = Shapes['SignOffName'];
export type SignInMethods = Shapes['SignIn'];
export type Session = Shapes['SessionInfo'];
export type SessionUser = Shapes['SignedIn'];
export type Credentials = Shapes['Credentials'];

export type StageName = Shapes['StageName'];
export type Line = Shapes['Line'];
export type Stage = Shapes['Stage'];
export type RunState = Shapes['RunState'];
export type RunStage = Shapes['StageProgress'];
export type RunItem = Shapes['RunItem'];
export type Freeze = Shapes['Freeze'];

export type Attribution = Shapes['Attribution'];
export type ChannelCredit = Shapes['ChannelCredit'];
export type Credit = Shapes['Credit'];
export type Incremental = Shapes['Incremental'];
export type Ratio = Shapes['RatioView'];
export type CreditCells = Shapes['CreditCells'];
export type CreditCell = Shapes['CreditCell'];
export type FilterChoices = Shapes['Filters'];
export type Part = Shapes['Part'];
export type Bridges = Shapes['Bridges'];
export type Bridge = Shapes['Bridge'];
export type BridgeLine = Shapes['BridgeLine'];
export type PathList = Shapes['Paths'];
export type PathItem = Shapes['PathItem'];
export type Estimate = Shapes['EstimateShape'];
/** Null ends are infinite. */
export type EstimateSet = Estimate['set'];
export type EvidenceRecord = Shapes['EvidenceItem'];

export type Sources = Shapes['SourcesDocumented'];
export type Source = Shapes['SourceItem'];
export type SourceDrift = Shapes['DriftItem'];
export type QuarantinedRow = Shapes['QuarantinedItem'];

export type Consent = Shapes['ConsentDocumented'];
export type ConsentConflict = Shapes['ConsentConflict'];
export type ForbiddenLink = Shapes['ForbiddenLinkItem'];
export type ConsentShare = Shapes['ShareItem'];
export type Purpose = Shapes['PurposeName'];
export type Removed = Shapes['RemovedItem'];
export type SourceConsent = Shapes['SourceConsentItem'];
export type SourcePurpose = Shapes['SourcePurposeItem'];

export type ConversionItem = Shapes['ConversionItem'];
export type Conversion = Shapes['ConversionThread'];
export type Touch = Shapes['TouchRow'];
export type Identity = Shapes['IdentityShape'];
export type IdentityLink = Shapes['LinkShape'];
export type IdentityMatch = Shapes['MatchShape'];

export type DecisionItem = Shapes['DecisionItem'];
export type DecisionPage = Shapes['Decisions'];
export type DecisionThread = Shapes['DecisionThread'];
export type DecisionRow = Shapes['DecisionRow'];
export type Score = Shapes['ScoreRow'];
export type Artefact = Shapes['ArtefactItem'];
export type DeliveryRow = Shapes['DeliveryRow'];
export type Person = Shapes['PersonThread'];
export type RevealedIdentifier = Shapes['Identifier'];
