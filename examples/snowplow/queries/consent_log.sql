-- Every question about consent that was shown and every answer, as it was said.
SELECT source_event_id AS event_id, property(properties, 'session') AS domain_sessionid,
       occurred_at AS derived_tstamp, property(properties, 'loaded') AS load_tstamp, name AS event_name,
       property(properties, 'consent_event') AS event_type, property(properties, 'consent_basis') AS basis_for_processing,
       property(properties, 'consent_url') AS consent_url, property(properties, 'consent_version') AS consent_version,
       property(properties, 'consent_scopes') AS consent_scopes, property(properties, 'consent_domains') AS domains_applied,
       -- Snowplow takes what does not say it for no.
       coalesce(property(properties, 'gdpr_applies'), 'false') AS gdpr_applies, property(properties, 'cmp_load_time') AS cmp_load_time
FROM timeline WHERE name IN ('cmp_visible', 'consent_preferences')
ORDER BY event_id
