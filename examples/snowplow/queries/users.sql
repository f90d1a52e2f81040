-- Visitors of the site, over their visits.
WITH hits AS (
    SELECT person_id, source_event_id, kind, name, occurred_at,
           CASE WHEN name = 'page_ping' THEN occurred_at - INTERVAL '5 seconds' ELSE occurred_at END AS began_at,
           property(properties, 'session') AS session,
           property(properties, 'page_view') AS page_view,
           property(properties, 'of_the_site') AS of_the_site,
           CAST(property(properties, 'received') AS TIMESTAMP) AS received
    FROM timeline
    WHERE property(properties, 'session') IS NOT NULL AND property(properties, 'on_time') = 'true'
),
begun AS (SELECT session, min(received) AS first FROM hits GROUP BY session),
used AS (
    SELECT hits.* FROM hits JOIN begun ON hits.session = begun.session
    WHERE received <= first + INTERVAL '3 days'
),
views AS (
    SELECT session, page_view,
           count(DISTINCT CASE WHEN name = 'page_ping' THEN CAST(floor(date_part('epoch', occurred_at) / 10) AS BIGINT) END) AS pings
    FROM used WHERE name IN ('page_view', 'page_ping') AND page_view IS NOT NULL
    GROUP BY session, page_view
),
viewed AS (
    SELECT session, count(*) AS page_views,
           sum(CASE WHEN pings > 0 THEN 10 * (pings - 1) + 5 ELSE 0 END) AS engaged_time_in_s
    FROM views GROUP BY session
),
whole AS (
    SELECT session, count(*) AS total_events, min(began_at) AS started, max(occurred_at) AS ended,
           first_value(person_id ORDER BY occurred_at, source_event_id) AS person_id,
           max(of_the_site) AS of_the_site
    FROM used GROUP BY session
),
sessions AS (
    SELECT whole.session AS domain_sessionid, person_id, of_the_site, started AS start_tstamp,
           ended AS end_tstamp, page_views, engaged_time_in_s, total_events
    FROM whole JOIN viewed ON whole.session = viewed.session
)
SELECT person_id, min(start_tstamp) AS start_tstamp, max(end_tstamp) AS end_tstamp, sum(page_views) AS page_views,
       count(*) AS sessions, sum(engaged_time_in_s) AS engaged_time_in_s
FROM sessions
WHERE of_the_site = 'true'
GROUP BY person_id
ORDER BY start_tstamp, person_id
