{{ config(location='as_parquet.parquet') }}
select * from {{ ref('given') }}
