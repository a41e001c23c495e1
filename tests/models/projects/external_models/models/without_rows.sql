{{ config(location='without_rows.parquet') }}
select * from {{ ref('given') }} where id > 5
