-- All platforms, a row for each day and ad.
{{ performance(['stg_facebook_ads__ads', 'stg_google_ads__ads', 'stg_x_ads__ads']) }}
