import type { AuditHead, AuditItem, InclusionProof } from '../../api/govern';
import { checkInclusion, type ProofStep, recordLeaf } from '../../audit/proof';
import { count, plural } from '../../format';

export interface Comparison {
  same: boolean;
  text: string;
}

export interface Standing {
  holds: boolean;
  comparisons: Comparison[];
  steps: ProofStep[];
  size: number;
}

const sameHash = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/**
 * Whether a record stands in the log of a signed head. What is proved is compared with what the reader sees: a sound
 * proof of another record, or towards another root, proves nothing about this one.
 */
export async function standing(record: AuditItem, head: Pick<AuditHead, 'size' | 'root'>, proof: InclusionProof): Promise<Standing> {
  const about = proof.seq === record.seq && proof.size === head.size;
  const leaf = sameHash(proof.leaf, record.leaf);
  const content = sameHash((await recordLeaf(record)) ?? '', record.leaf);
  const root = sameHash(proof.root, head.root);
  const { holds, steps, why } = await checkInclusion({
    index: record.seq - 1, size: head.size, leaf: record.leaf, root: head.root, path: proof.path,
  });
  return {
    holds: content && about && leaf && root && holds,
    size: head.size,
    steps,
    comparisons: [
      { same: content, text: content ? 'The content shown above has the hash of this record.' : 'The content shown above does not have the hash of this record: it was altered.' },
      {
        same: about,
        text: about ? 'The proof is about this record and this head.'
          : `The proof is about record ${count(proof.seq)} in a log of ${count(proof.size)}, not about this record and this head.`,
      },
      { same: leaf, text: leaf ? 'The hash that is proved is the hash of this record.' : 'The hash that is proved is not the hash of this record.' },
      { same: root, text: root ? 'The root that is proved is the root of the signed head.' : 'The root that is proved is not the root of the signed head.' },
      {
        same: holds,
        text: holds ? `From the hash of this record, ${plural(steps.length, 'step')} of hashing lead to the root of the signed head.`
          : `The hash of this record does not lead to the root of the signed head: ${why}.`,
      },
    ],
  };
}
