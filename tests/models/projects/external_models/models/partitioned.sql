{{ config(location='partitioned', options={'partition_by': 'id', 'overwrite_or_ignore': true}) }}
select * from {{ ref('given') }}
