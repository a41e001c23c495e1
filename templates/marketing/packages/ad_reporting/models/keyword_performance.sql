-- Platforms that sell keywords, a row for each day and keyword. It is the same money as in ad_performance, seen by another
-- side: do not add the two up.
{{ config(enabled='google_ads' in var('platforms')) }}
{{ performance(['stg_google_ads__keywords']) }}
