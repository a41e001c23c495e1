{{ config(format='json', location='as_json.json') }}
select * from {{ ref('as_parquet') }}
